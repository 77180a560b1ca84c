import ArgumentParser
import Foundation
import Store

/// `gatepost consent VERB`: the owner of an account decides about grants on it.
///
/// It requires no role: the owner is the operating-system user whom `gatepost user` binds to the
/// login, or knows the login's password.
struct ConsentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consent",
        abstract: "Decide, as the owner, about grants that wait for confirmation.",
        subcommands: [List.self, Confirm.self, Refuse.self]
    )

    /// The owner who decides: the caller's own login, or another one with its password.
    struct Owner: ParsableArguments {
        @Option(help: "Act as this owner (default: the login of the operating-system user).")
        var `as`: String?
        @Flag(help: "Read the owner's password from standard input, up to the first line end.")
        var passwordStdin = false

        /// Identifies and authenticates the owner.
        ///
        /// A caller who came by sudo is identified by the original user. A wrong password delays
        /// the error by 2 seconds.
        ///
        /// - Returns: the owner's login.
        /// - Throws: ``Failure`` if no login is known, or `StoreError` if the password is wrong.
        func login(_ store: PermissionStore) throws -> String {
            let actor = Actor.current
            let name = actor.original ?? actor.name
            let known = try store.login(ofOSUser: name)
            guard let login = self.as ?? known else {
                throw Failure("your login is unknown: use --as LOGIN and enter your password")
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
                // Slow down password guessing, as the gateway does.
                Thread.sleep(forTimeInterval: 2)
                throw error
            }
            return login
        }
    }

    /// `gatepost consent list`: the pending grants on the owner's accounts.
    ///
    /// `--json` prints an array of `GrantRow`; `id` is the number for `confirm` and `refuse`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List grants on your accounts that wait for confirmation."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var owner: Owner
        @OptionGroup var output: JSONOption

        func run() async throws {
            let store = try await self.configuration.openStore()
            let grants = try store.pendingGrants(owner: try self.owner.login(store))
            if self.output.json { return try Output.json(list: grants) }
            Output.table(
                [
                    "GRANT", "ACCOUNT", "WHO", "VIEWING", "SENDING", "FOLDER", "UNTIL", "BY",
                    "REASON",
                ],
                rows: grants.lazy.map { grant in
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

    /// `gatepost consent confirm GRANT`
    ///
    /// The grant is in effect in the running gateway within a second. The command fails if the
    /// grant does not wait for this owner.
    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Confirm a grant, which then takes effect."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var owner: Owner
        @Argument(help: "The grant's number in gatepost consent list.") var grant: Int64

        func run() async throws {
            let store = try await self.configuration.openStore()
            try store.confirmGrant(self.grant, owner: try self.owner.login(store))
            print("confirmed: the grant is in effect")
        }
    }

    /// `gatepost consent refuse GRANT`
    ///
    /// It fails if the grant does not wait for this owner.
    struct Refuse: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a grant, which removes it."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var owner: Owner
        @Argument(help: "The grant's number in gatepost consent list.") var grant: Int64

        func run() async throws {
            let store = try await self.configuration.openStore()
            try store.refuseGrant(self.grant, owner: try self.owner.login(store))
            print("refused: the grant is removed")
        }
    }
}
