import Access
import ArgumentParser
import Exchange
import Foundation
import Gateway
import Store

/// `gatepost account VERB`: a mailbox on a mail server, with the credential that opens it.
struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "Manage mailboxes on mail servers, and the credentials that open them.",
        subcommands: [Add.self, List.self, Show.self, Test.self, Set.self, Remove.self]
    )

    /// The value of `--kind`: the kind of mail server, and the source of the grants.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        /// Any IMAP server; grants are local.
        case imap
        /// Microsoft Exchange; grants are loaded from there.
        case exchange
    }

    /// `gatepost account add ADDRESS --kind imap|exchange`: requires the role `settings`.
    ///
    /// `--username` without a password requires `administrator`: the gateway's application may open
    /// more mailboxes than the named one.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an account.",
            discussion: """
                Without an option for the password, it is asked for at the terminal for an IMAP \
                account. An Exchange account without a password uses tokens of the gateway's \
                application.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The mailbox's address; it is the account's name.") var address: String
        @Option(help: "Choose the kind of mail server.") var kind: Kind
        @OptionGroup var settings: AccountOptions

        func run() async throws {
            var (store, actor) = try await self.configuration.openForChange()
            let masterKey = try MasterKey(file: await self.configuration.load().masterKey)
            let authentication = try await self.configuration.load().authentication
            // Without a password, the gateway logs in to Exchange with a token of its application, or
            // learns the password when the owner logs in.
            let isLearnt = authentication.learns && self.settings.owner != nil
            let prompt =
                self.kind == .imap && !isLearnt
                ? "Password at the mail server: " : nil
            var settings = try self.settings.settings(prompt: prompt)
            settings.kind = Account.Kind(rawValue: self.kind.rawValue)
            // The gateway's application may open more mailboxes than the named one.
            // A server that verifies the owner's password decides who is that user.
            let verifiesOwner = authentication.uses(.upstream) && settings.owner != nil
            if settings.password == nil && settings.username != nil || verifiesOwner {
                (store, actor) = try await self.configuration.openForChange(.administrator)
            }
            if self.kind == .exchange, settings.imap == nil {
                let cloud = try await self.configuration.load().exchange?.cloud
                guard cloud == nil || cloud == .worldwide else {
                    throw Failure(
                        "this cloud has no default servers: name them with --imap HOST and --smtp HOST"
                    )
                }
                settings.imap = Endpoint(host: "outlook.office365.com", port: 993, tls: .implicit)
                settings.smtp =
                    settings.smtp
                    ?? Endpoint(host: "smtp.office365.com", port: 587, tls: .starttls)
            }
            // An owner who is asked or notified decides about grants: only administrators set one.
            if self.settings.owner != nil {
                try await self.configuration.requireOwnersLeave(store)
            }
            try store.addAccount(
                self.address,
                settings: settings,
                masterKey: masterKey,
                actor: actor
            )
        }
    }

    /// `gatepost account set ADDRESS`: changes the settings that options name.
    ///
    /// A new server, `--ca` or `--username` without a new password requires `administrator`: the
    /// stored credential would be sent there. If mail servers verify the passwords of users, each of
    /// them and `--owner` always require it.
    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change settings of an account.",
            discussion: "Settings without an option do not change."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The account's address.") var address: String
        @OptionGroup var settings: AccountOptions

        func run() async throws {
            var (store, actor) = try await self.configuration.openForChange()
            let masterKey = try MasterKey(file: await self.configuration.load().masterKey)
            // An owner who is asked or notified decides about grants: only administrators set one.
            if self.settings.owner != nil {
                try await self.configuration.requireOwnersLeave(store)
            }
            var settings = try self.settings.settings(prompt: nil)
            // The stored credential is sent to whatever server is named, and opens any mailbox
            // there that the gateway's application or a master user may open.
            let changesServer =
                settings.imap != nil || settings.smtp != nil || settings.caFile != nil
                || settings.username != nil
            // A server that verifies the owner's password decides who is that user.
            let verifiesOwner =
                try await self.configuration.load().authentication.uses(.upstream)
                && (changesServer || settings.owner != nil)
            if settings.password == nil && changesServer || verifiesOwner {
                (store, actor) = try await self.configuration.openForChange(.administrator)
            }
            // Without --tls the security of the connection does not change.
            if self.settings.tls == nil, let imap = settings.imap {
                let known = try store.upstream(self.address).imap.tls
                settings.imap = Endpoint(host: imap.host, port: imap.port, tls: known)
            }
            try store.setAccount(
                self.address,
                settings: settings,
                masterKey: masterKey,
                actor: actor
            )
        }
    }

    /// `gatepost account list`: all accounts, without their credentials.
    ///
    /// `--json` prints an array of `AccountRow`:
    /// `{"address":"info@kanzlei.example","aliases":[],"kind":"imap","hasCredential":true,`
    /// `"imap":{"host":"mail.example","port":993,"tls":"implicit"},"permissionsLoaded":null,`
    /// `"sentCopy":"none","sentCopyRequired":false,"username":"info@kanzlei.example"}`.
    /// `hasCredential` says whether a password is stored. `permissionsLoaded` is the time of the last saved import, in seconds
    /// since 1970.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all accounts.")
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let store = try await self.configuration.openStore()
            let accounts = try ProgressLine.during("reading the accounts") { _ in
                try store.accounts()
            }
            if self.output.json { return try Output.json(list: accounts) }
            Output.table(
                ["ACCOUNT", "KIND", "OWNER", "IMAP"],
                rows: accounts.lazy.map {
                    [$0.address, $0.kind, $0.owner ?? "-", "\($0.imap.host):\($0.imap.port)"]
                }
            )
        }
    }

    /// `gatepost account show ADDRESS`: the settings of one account, its grants and withdrawals.
    ///
    /// `--json` prints one `AccountRow`, without grants.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show an account with its servers, grants and withdrawals.",
            discussion: "The password is never shown."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "The account's address.") var address: String

        func run() async throws {
            let store = try await self.configuration.openStore()
            let account = try store.account(self.address)
            if self.output.json { return try Output.json(account) }
            let imap = account.imap
            let loaded = account.permissionsLoaded.map { seconds in
                Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
            }
            Output.table(
                ["ACCOUNT", account.address],
                rows: [
                    ["kind", account.kind],
                    ["owner", account.owner ?? "none (function mailbox)"],
                    ["aliases", account.aliases.joined(separator: ", ")],
                    ["imap", "\(imap.host):\(imap.port) (\(imap.tls))"],
                    ["smtp", account.smtp.map { "\($0.host):\($0.port) (\($0.tls))" } ?? "-"],
                    ["user name at server", account.username],
                    ["credential", Self.credential(of: account)],
                ]
                    + (account.kind == Account.Kind.exchange.rawValue
                        ? [["permissions as of", loaded ?? "nothing was saved yet"]] : [])
            )
            print("")
            Output.grants(try store.grants(account: self.address, subject: nil))
            Output.withdrawals(try store.withdrawals(account: self.address, subject: nil))
        }

        /// The kind of credential that the gateway uses, without the credential.
        private static func credential(of account: AccountRow) -> String {
            if account.hasCredential { return "password set" }
            return account.kind == Account.Kind.exchange.rawValue
                ? "tokens of the gateway's application" : "missing"
        }
    }

    /// `gatepost account remove ADDRESS`: the mailbox on the mail server is not touched.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an account with its credential and all grants on it.",
            discussion: "The mailbox on the mail server is not touched."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument(help: "The account's address.") var address: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            if try store.account(self.address).owner != nil {
                try await self.configuration.requireOwnersLeave(store)
            }
            try self.confirmation.confirm(
                "Remove \(self.address) with its credential and all grants on it"
            )
            try store.removeAccount(self.address, actor: actor)
        }
    }
}
