import Access
import ArgumentParser
import Exchange
import Foundation
import Gateway
import Store

/// `gatepost account …`
struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "Manage mailboxes on mail servers.",
        subcommands: [Add.self, List.self, Show.self, Test.self, Set.self, Remove.self]
    )

    /// Where a mailbox is.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case imap
        case exchange
    }

    /// `gatepost account add …`
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a mailbox with its servers and its credential."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var address: String
        @Option var kind: Kind
        @OptionGroup var settings: AccountOptions

        func run() async throws {
            var (store, actor) = try await self.configuration.openForChange()
            let masterKey = try MasterKey(file: await self.configuration.load().masterKey)
            // The gateway logs in at Exchange as its own application, unless a password is given.
            let prompt = self.kind == .imap ? "Password at the mail server: " : nil
            var settings = try self.settings.settings(prompt: prompt)
            settings.kind = Account.Kind(rawValue: self.kind.rawValue)
            // The application may open more mailboxes than the one that is named.
            if settings.password == nil, settings.username != nil {
                (store, actor) = try await self.configuration.openForChange(.administrator)
            }
            if self.kind == .exchange, settings.imap == nil {
                let cloud = try await self.configuration.load().exchange?.cloud
                guard cloud == nil || cloud == .worldwide else {
                    throw Failure("which servers? --imap HOST and --smtp HOST of your cloud")
                }
                settings.imap = Endpoint(host: "outlook.office365.com", port: 993, tls: .implicit)
                settings.smtp =
                    settings.smtp
                    ?? Endpoint(host: "smtp.office365.com", port: 587, tls: .starttls)
            }
            // A new account may be somebody's without anybody's leave only where nobody is asked.
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

    /// `gatepost account set …`
    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change what is named of an account, and nothing else."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var address: String
        @OptionGroup var settings: AccountOptions

        func run() async throws {
            var (store, actor) = try await self.configuration.openForChange()
            let masterKey = try MasterKey(file: await self.configuration.load().masterKey)
            // Who names an owner says who has to be asked.
            if self.settings.owner != nil {
                try await self.configuration.requireOwnersLeave(store)
            }
            var settings = try self.settings.settings(prompt: nil)
            // A credential that is kept is sent to whatever server is named, and opens whatever user name
            // there the gateway's application or a master user may open.
            let sendsCredential =
                settings.password == nil
                && (settings.imap != nil || settings.smtp != nil || settings.caFile != nil
                    || settings.username != nil)
            if sendsCredential {
                (store, actor) = try await self.configuration.openForChange(.administrator)
            }
            // Without --tls the way the server is reached stays as it is.
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

    /// `gatepost account list …`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all accounts."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let accounts = try await self.configuration.openStore().accounts()
            if self.output.json { return try Output.json(accounts) }
            Output.table(
                ["ACCOUNT", "KIND", "OWNER", "IMAP"],
                rows: accounts.map {
                    [$0.address, $0.kind, $0.owner ?? "-", "\($0.imap.host):\($0.imap.port)"]
                }
            )
        }
    }

    /// `gatepost account show …`
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one account with its grants."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument var address: String

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
                    ["user name there", account.username],
                    ["credential", Self.credential(of: account)],
                ]
                    + (account.kind == Account.Kind.exchange.rawValue
                        ? [["permissions as of", loaded ?? "nothing saved yet"]] : [])
            )
            print("")
            Output.grants(try store.grants(account: self.address, subject: nil))
            Output.withdrawals(try store.withdrawals(account: self.address, subject: nil))
        }

        private static func credential(of account: AccountRow) -> String {
            if account.hasCredential { return "password set" }
            return account.kind == Account.Kind.exchange.rawValue
                ? "tokens of the gateway's application" : "missing"
        }
    }

    /// `gatepost account remove …`
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an account and every grant on it."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument var address: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            if try store.account(self.address).owner != nil {
                try await self.configuration.requireOwnersLeave(store)
            }
            try self.confirmation.confirm(
                "Remove \(self.address) with its credential and every grant on it"
            )
            try store.removeAccount(self.address, actor: actor)
        }
    }
}
