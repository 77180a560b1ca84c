import ArgumentParser
import Store

/// `gatepost user …`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Manage users who log in to the gateway.",
        subcommands: [
            Add.self, List.self, Show.self, Set.self, Password.self, Disable.self, Enable.self,
            Remove.self,
        ]
    )

    private static let header = ["LOGIN", "NAME", "ROLE", "OS USER", "STATE"]

    private static func cells(_ user: UserRow) -> [String] {
        [
            user.login, user.name ?? "", user.role ?? "", user.osUser ?? "",
            user.disabled ? "disabled" : "enabled",
        ]
    }

    /// `gatepost user add …`
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a user with a password."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var password: PasswordOption
        @Argument var login: String
        @Option var name: String?
        @Option(help: "What the user may change here.") var role: Role?
        @Option(help: "Who that is at the operating system (default: the login).")
        var osUser: String?

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let password = try self.password.read(prompt: "Password of \(self.login): ")
            guard let password else {
                throw Failure("no password: say --password-stdin or --password-file FILE")
            }
            try store.addUser(
                NewUser(
                    self.login,
                    name: self.name,
                    role: self.role?.rawValue,
                    osUser: self.osUser,
                    password: password
                ),
                actor: actor
            )
        }
    }

    /// `gatepost user list …`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all users."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let users = try await self.configuration.openStore().users()
            if self.output.json { return try Output.json(users) }
            Output.table(
                UserCommand.header,
                rows: users.map(UserCommand.cells)
            )
        }
    }

    /// `gatepost user show …`
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one user."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument var login: String

        func run() async throws {
            let user = try await self.configuration.openStore().user(self.login)
            if self.output.json { return try Output.json(user) }
            Output.table(UserCommand.header, rows: [UserCommand.cells(user)])
        }
    }

    /// `gatepost user set …`
    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set what a user may change here, and who that is at the operating system."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var login: String
        @Option(help: "administrator, settings or none.") var role: String?
        @Option(help: "A name at the operating system, or none.") var osUser: String?

        func validate() throws {
            guard self.role != nil || self.osUser != nil else {
                throw ValidationError("--role or --os-user is needed")
            }
            guard let role = self.role, role != "none", Role(rawValue: role) == nil else { return }
            throw ValidationError("--role: administrator, settings or none")
        }

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let known = try store.user(self.login).role
            let role = self.role ?? known
            try store.setRole(
                role.flatMap(Role.init),
                osUser: self.osUser,
                of: self.login,
                actor: actor
            )
        }
    }

    /// `gatepost user password …`
    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a user's password; open sessions end."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var password: PasswordOption
        @Argument var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            guard let password = try self.password.read(prompt: "New password of \(self.login): ")
            else { throw Failure("no password: say --password-stdin or --password-file FILE") }
            try store.setPassword(password, of: self.login, actor: actor)
        }
    }

    /// `gatepost user disable …`
    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Disable a user: no login succeeds, and open sessions end."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.setDisabled(true, login: self.login, actor: actor)
        }
    }

    /// `gatepost user enable …`
    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Enable a user who was disabled."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.setDisabled(false, login: self.login, actor: actor)
        }
    }

    /// `gatepost user remove …`
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a user and every grant to it."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            _ = try store.user(self.login)
            try self.confirmation.confirm("Remove \(self.login) and every grant to it")
            try store.removeUser(self.login, actor: actor)
        }
    }
}
