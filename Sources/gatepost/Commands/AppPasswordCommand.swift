import Access
import ArgumentParser
import Gateway
import Store

/// `gatepost user app-password VERB`: passwords for single programs and devices of a user.
///
/// An app password works like the user's password, for mail and for sending, where the source
/// `gateway` is asked (`authentication.sources`).
struct AppPasswordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app-password",
        abstract: "Manage passwords for single programs and devices of a user.",
        subcommands: [Add.self, List.self, Revoke.self]
    )

    /// `gatepost user app-password add LOGIN --name NAME`: requires the role `administrator`.
    ///
    /// It prints the password, once. `--json` prints `{"password":"abcd-efgh-…"}`.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an app password, and print it once.",
            discussion: """
                The program uses it with the user's login. Hyphens and capital letters do not matter.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "The user's login.") var login: String
        @Option(help: "The program or device, such as Phone.") var name: String
        @Option(help: "End it at this date or time (UTC).") var until: String?

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let sources = try await self.configuration.load().authentication
            let expires = try self.until.map { try Moment.argument($0) }
            let password = try store.addAppPassword(
                self.name,
                of: self.login,
                expires: expires,
                actor: actor
            )
            if self.output.json {
                try Output.json(["password": password.text])
            } else {
                Output.line(password.text)
            }
            if let login = Address(self.login.utf8), !sources.checksStoredPasswords(of: login) {
                Output.note(
                    "app passwords do not work for \(self.login): add gateway to "
                        + "authentication.sources, or to the sources of its domain"
                )
            }
        }
    }

    /// `gatepost user app-password list LOGIN`
    ///
    /// `--json` prints an array of `AppPasswordRow`:
    /// `{"name":"Phone","created":1764547200,"used":null,"expires":null}`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the app passwords of a user, with their last use."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "The user's login.") var login: String

        func run() async throws {
            let rows = try await self.configuration.openStore().appPasswords(of: self.login)
            if self.output.json { return try Output.json(list: rows) }
            Output.table(
                ["NAME", "CREATED", "LAST USED", "EXPIRES"],
                rows: rows.lazy.map { row in
                    [row.name] + [row.created, row.used, row.expires].map(Self.time)
                }
            )
        }

        private static func time(_ seconds: Int64?) -> String {
            seconds.map(Output.date) ?? ""
        }
    }

    /// `gatepost user app-password revoke LOGIN --name NAME`: requires the role `administrator`.
    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an app password; its sessions end."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The user's login.") var login: String
        @Option(help: "The name that add was given.") var name: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.revokeAppPassword(self.name, of: self.login, actor: actor)
        }
    }
}
