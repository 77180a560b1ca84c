import Access
import ArgumentParser
import Gateway
import Store

/// `gatepost user VERB`: the users who log in to the gateway.
///
/// Changes are in force within a second and are recorded in the audit log.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Manage users who log in to the gateway.",
        subcommands: [
            Add.self, List.self, Show.self, Set.self, Password.self, Disable.self, Enable.self,
            Remove.self, Leave.self, AppPasswordCommand.self, Import.self,
        ]
    )

    private static let header = ["LOGIN", "NAME", "ROLE", "OS USER", "STATE"]

    /// The columns of one user in the tables of `list` and `show`.
    private static func cells(_ user: UserRow) -> [String] {
        [
            user.login, user.name ?? "", user.role ?? "", user.osUser ?? "",
            user.disabled ? "disabled" : "enabled",
        ]
    }

    /// `gatepost user add LOGIN`: requires the role `administrator`.
    ///
    /// It fails if the login exists, is not an address, or if the operating-system user is taken.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a user.",
            discussion: """
                Without an option for the password, it is asked for at the terminal if the gateway \
                is a source of the login (authentication.sources).
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var password: PasswordOption
        @Flag(help: "Store no password: another source knows it (authentication.sources).")
        var withoutPassword = false
        @Argument(help: "The login, an address such as anna@kanzlei.example.") var login: String
        @Option(help: "Set the display name.") var name: String?
        @Option(help: "Let the user change accounts and grants, or everything.")
        var role: Role?
        @Option(help: "Bind the user to this operating-system user (default: the login).")
        var osUser: String?

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let authentication = try await self.configuration.load().authentication
            let isElsewhere =
                try !authentication.sources(for: PermissionStore.address(self.login))
                .contains(.gateway)
            let password =
                self.withoutPassword
                ? nil
                : try self.password.read(
                    prompt: isElsewhere ? nil : "Password of \(self.login): "
                )
            guard password != nil || self.withoutPassword || isElsewhere else {
                throw Failure(
                    "no password: use --password-stdin, --password-file FILE or --without-password"
                )
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

    /// `gatepost user list`: all users, without their passwords.
    ///
    /// `--json` prints an array of `UserRow`:
    /// `{"login":"anna@kanzlei.example","name":"Anna","role":null,"disabled":false,"osUser":null}`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all users.")
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let store = try await self.configuration.openStore()
            let users = try ProgressLine.during("reading the users") { _ in try store.users() }
            if self.output.json { return try Output.json(list: users) }
            Output.table(
                UserCommand.header,
                rows: users.lazy.map(UserCommand.cells)
            )
        }
    }

    /// `gatepost user show LOGIN`
    ///
    /// `--json` prints one `UserRow`, as in ``List``. It fails if the login is unknown.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one user.")
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "The user's login.") var login: String

        func run() async throws {
            let user = try await self.configuration.openStore().user(self.login)
            if self.output.json { return try Output.json(user) }
            Output.table(UserCommand.header, rows: [UserCommand.cells(user)])
        }
    }

    /// `gatepost user set LOGIN`: requires the role `administrator`.
    ///
    /// An option that is absent leaves its value unchanged. With a role and without an
    /// operating-system user, the login becomes the operating-system user.
    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a user's role or operating-system user."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The user's login.") var login: String
        @Option(help: "Set the role: administrator, settings or none.") var role: String?
        @Option(help: "Bind the user to an operating-system user, or to none.") var osUser: String?

        /// - Throws: `ValidationError` for no change, or for an unknown role.
        func validate() throws {
            guard self.role != nil || self.osUser != nil else {
                throw ValidationError("nothing to change: use --role or --os-user")
            }
            guard let role = self.role, role != "none", Role(rawValue: role) == nil else { return }
            throw ValidationError("--role must be administrator, settings or none")
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

    /// `gatepost user password LOGIN`: requires the role `administrator`.
    ///
    /// The password is stored as a hash (scrypt, RFC 7914).
    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a user's password.",
            discussion: "Without an option for the password, it is asked for at the terminal."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var password: PasswordOption
        @Argument(help: "The user's login.") var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            guard let password = try self.password.read(prompt: "New password of \(self.login): ")
            else { throw Failure("no password: use --password-stdin or --password-file FILE") }
            try store.setPassword(password, of: self.login, actor: actor)
        }
    }

    /// `gatepost user disable LOGIN`: requires the role `administrator`.
    ///
    /// The gateway ends the user's sessions with `* BYE` (RFC 9051 §7.1.5). Grants of the user
    /// stay stored, but have no effect.
    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a user's sessions and refuse further logins; the user stays stored."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The user's login.") var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.setDisabled(true, login: self.login, actor: actor)
        }
    }

    /// `gatepost user enable LOGIN`: requires the role `administrator`.
    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Allow the logins of a disabled user again."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The user's login.") var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.setDisabled(false, login: self.login, actor: actor)
        }
    }

    /// `gatepost user remove LOGIN`: requires the role `administrator`.
    ///
    /// It fails while the user owns an account, or while a wall or a withdrawal names the user.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a user and all grants to the user.",
            discussion: """
                Refused while the user owns an account, or while a wall or a withdrawal names the \
                user.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument(help: "The user's login.") var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            _ = try store.user(self.login)
            try self.confirmation.confirm("Remove \(self.login) and all grants to this user")
            try store.removeUser(self.login, actor: actor)
        }
    }
}
