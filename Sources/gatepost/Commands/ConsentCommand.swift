import ArgumentParser
import Foundation
import Store

/// `gatepost consent …`: an owner decides about what was granted on the owner's mailbox.
struct ConsentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consent",
        abstract: "Decide, as an owner, about grants that wait for the owner's word.",
        subcommands: [List.self, Confirm.self, Refuse.self]
    )

    /// Who decides: somebody who is a user at the operating system too, or gives a password.
    struct Owner: ParsableArguments {
        @Option(help: "The owner's login (default: who this operating-system user is here).")
        var `as`: String?
        @Flag(help: "Read the owner's password from standard input, up to the first line end.")
        var passwordStdin = false

        /// - Throws: where nobody, or the wrong one, asks.
        func login(_ store: PermissionStore) throws -> String {
            let actor = Actor.current
            let name = actor.original ?? actor.name
            let known = try store.login(ofOSUser: name)
            guard let login = self.as ?? known else {
                throw Failure("who are you? say --as LOGIN; your password is asked for")
            }
            if let known,
                try PermissionStore.address(login) == PermissionStore.address(known)
            {
                return login
            }
            let password =
                self.passwordStdin
                ? readLine(strippingNewline: true)
                : try PasswordOption.ask("Password of \(login): ")
            do {
                try store.verify(password ?? "", of: login)
            } catch {
                // Who guesses takes time, as at the gateway.
                Thread.sleep(forTimeInterval: 2)
                throw error
            }
            return login
        }
    }

    /// `gatepost consent list …`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the grants that wait for the owner's word."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var owner: Owner
        @OptionGroup var output: JSONOption

        func run() async throws {
            let store = try await self.configuration.openStore()
            let grants = try store.pendingGrants(owner: try self.owner.login(store))
            if self.output.json { return try Output.json(grants) }
            Output.table(
                [
                    "GRANT", "ACCOUNT", "WHO", "VIEWING", "SENDING", "FOLDER", "UNTIL", "BY",
                    "REASON",
                ],
                rows: grants.map { grant in
                    [
                        "\(grant.id)", grant.account, grant.subject,
                        grant.rights.isEmpty ? "-" : grant.rights, grant.send,
                        grant.folder.map { $0 + (grant.subtree ? "/…" : "") } ?? "all",
                        grant.until.map(Output.date) ?? "-", grant.author,
                        grant.reason ?? "",
                    ]
                }
            )
        }
    }

    /// `gatepost consent confirm …`
    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Confirm a grant: it counts from now on."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var owner: Owner
        @Argument(help: "Its number in `gatepost consent list`.") var grant: Int64

        func run() async throws {
            let store = try await self.configuration.openStore()
            try store.confirmGrant(self.grant, owner: try self.owner.login(store))
            print("confirmed: it counts from now on")
        }
    }

    /// `gatepost consent refuse …`
    struct Refuse: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a grant: it is removed."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var owner: Owner
        @Argument(help: "Its number in `gatepost consent list`.") var grant: Int64

        func run() async throws {
            let store = try await self.configuration.openStore()
            try store.refuseGrant(self.grant, owner: try self.owner.login(store))
            print("refused: it is gone")
        }
    }
}
