import ArgumentParser
import Store

/// `gatepost wall …`
struct WallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wall",
        abstract: "Bar people from an account, whatever is granted or loaded.",
        subcommands: [Add.self, Remove.self, List.self]
    )

    /// `gatepost wall add …`
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bar somebody from an account."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String
        @Option(help: "Why; it is kept.") var reason: String

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

    /// `gatepost wall remove …`
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a wall: what is granted counts again."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            try self.confirmation.confirm(
                "Let what \(self.subject) was granted on \(self.account) count again"
            )
            try store.removeWall(account: self.account, subject: self.subject, actor: actor)
        }
    }

    /// `gatepost wall list …`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all walls with their reasons."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let walls = try await self.configuration.openStore().walls()
            if self.output.json { return try Output.json(walls) }
            Output.table(
                ["ACCOUNT", "BARRED", "REASON", "BY", "WHEN"],
                rows: walls.map {
                    [$0.account, $0.subject, $0.reason, $0.author, Output.date($0.created)]
                }
            )
        }
    }
}
