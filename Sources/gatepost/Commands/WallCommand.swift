import ArgumentParser
import Store

/// `gatepost wall VERB`: a wall bars a user or a group from an account and overrides all grants.
struct WallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wall",
        abstract: "Bar users from accounts, regardless of grants and imports.",
        subcommands: [Add.self, Remove.self, List.self]
    )

    /// `gatepost wall add ACCOUNT SUBJECT`: requires the role `settings`.
    ///
    /// A wall also applies to later grants and imports. It does not apply to the owner. It takes
    /// effect in the running gateway within a second, for open sessions also.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bar a user or a group from an account."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The account's address.") var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String
        @Option(help: "Record this reason; gatepost explain and report print it.")
        var reason: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            try store.addWall(
                account: self.account,
                subject: self.subject,
                reason: self.reason,
                actor: actor
            )
        }
    }

    /// `gatepost wall remove ACCOUNT SUBJECT`: requires the role `settings`.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a wall, so that grants are in effect again."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument(help: "The account's address.") var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            try self.confirmation.confirm(
                "Put grants of \(self.subject) on \(self.account) into effect again"
            )
            try store.removeWall(account: self.account, subject: self.subject, actor: actor)
        }
    }

    /// `gatepost wall list`: all walls with reason, author and time.
    ///
    /// `--json` prints an array of `WallRow`:
    /// `{"account":"info@kanzlei.example","subject":"bob@kanzlei.example","reason":"Mandat",`
    /// `"author":"root","created":1796011063}`. `created` is in seconds since 1970.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all walls.")
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let store = try await self.configuration.openStore()
            let walls = try ProgressLine.during("reading the walls") { _ in try store.walls() }
            if self.output.json { return try Output.json(list: walls) }
            Output.table(
                ["ACCOUNT", "BARRED", "REASON", "BY", "WHEN"],
                rows: walls.lazy.map {
                    [$0.account, $0.subject, $0.reason, $0.author, Output.date($0.created)]
                }
            )
        }
    }
}
