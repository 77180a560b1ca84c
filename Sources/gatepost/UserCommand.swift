import ArgumentParser
import Store

/// `gatepost user …`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Somebody who logs in to the gateway.",
        subcommands: [
            Add.self, List.self, Show.self, Password.self, Disable.self, Enable.self, Remove.self,
        ]
    )

    enum Role: String, ExpressibleByArgument, CaseIterable {
        case administrator
        case settings
    }

    struct Add: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var password: PasswordOption
        @Argument var login: String
        @Option var name: String?
        @Option var role: Role?

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            let password = try self.password.read(prompt: "Password of \(self.login): ")
            guard let password else {
                throw Failure("no password: say --password-stdin or --password-file FILE")
            }
            try store.addUser(
                self.login,
                name: self.name,
                role: self.role?.rawValue,
                password: password,
                actor: actor
            )
        }
    }

    struct List: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let users = try await self.configuration.openStore().users()
            if self.output.json { return try Output.json(users) }
            Output.table(
                ["LOGIN", "NAME", "ROLE", "STATE"],
                users.map {
                    [$0.login, $0.name ?? "", $0.role ?? "", $0.disabled ? "disabled" : "enabled"]
                }
            )
        }
    }

    struct Show: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument var login: String

        func run() async throws {
            let user = try await self.configuration.openStore().user(self.login)
            if self.output.json { return try Output.json(user) }
            Output.table(
                ["LOGIN", "NAME", "ROLE", "STATE"],
                [
                    [
                        user.login, user.name ?? "", user.role ?? "",
                        user.disabled ? "disabled" : "enabled",
                    ]
                ]
            )
        }
    }

    struct Password: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var password: PasswordOption
        @Argument var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            guard let password = try self.password.read(prompt: "New password of \(self.login): ")
            else { throw Failure("no password: say --password-stdin or --password-file FILE") }
            try store.setPassword(password, of: self.login, actor: actor)
        }
    }

    struct Disable: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @Argument var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            try store.setDisabled(true, self.login, actor: actor)
        }
    }

    struct Enable: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @Argument var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            try store.setDisabled(false, self.login, actor: actor)
        }
    }

    struct Remove: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument var login: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            _ = try store.user(self.login)
            try self.confirmation.confirm("Remove \(self.login) and every grant to it")
            try store.removeUser(self.login, actor: actor)
        }
    }
}
