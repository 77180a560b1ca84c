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
        abstract: "A mailbox on a mail server.",
        subcommands: [Add.self, List.self, Show.self, Test.self, Set.self, Remove.self]
    )

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case imap
        case exchange
    }

    enum SentCopy: String, ExpressibleByArgument, CaseIterable {
        case owner
        case sender
        case both
        case none
    }

    /// What `add` and `set` have in common.
    struct Settings: ParsableArguments {
        @Option(help: "The login it belongs to; none for a function mailbox.") var owner: String?
        @Option(help: "Another address of the same mailbox; may be repeated.") var alias: [String] =
            []
        @Option(help: "The IMAP server, HOST[:PORT].") var imap: String?
        @Option(help: "The submission server, HOST[:PORT].") var smtp: String?
        @Option(help: "implicit, starttls, or none (this machine only).") var tls: String?
        @Option(help: "Certificates to trust instead of the system's (PEM).") var ca: String?
        @Option(help: "What to log in with there; the address by default.") var username: String?
        @Option(help: "Who gets a copy of what others send from it.") var sentCopy: SentCopy?
        @OptionGroup var password: PasswordOption

        func validate() throws {
            if let tls = self.tls, Endpoint.Security(rawValue: tls) == nil {
                throw ValidationError("--tls is implicit, starttls or none")
            }
        }

        func settings(prompt: String?) throws -> AccountSettings {
            let security = Endpoint.Security(rawValue: self.tls ?? "implicit") ?? .implicit
            var settings = AccountSettings()
            settings.owner = self.owner
            settings.aliases = self.alias.isEmpty ? nil : self.alias
            settings.imap = try self.imap.map {
                try Self.endpoint($0, security: security, port: security == .implicit ? 993 : 143)
            }
            settings.smtp = try self.smtp.map {
                try Self.endpoint($0, security: security, port: security == .implicit ? 465 : 587)
            }
            settings.caFile = try self.ca.map { file in
                // It is read with the rights of the gateway's user, and says which servers are trusted.
                if Actor.current.isBySudo { try TrustedPath.certificates.require(file) }
                guard FileManager.default.isReadableFile(atPath: file) else {
                    throw Failure("\(file) cannot be read")
                }
                return URL(fileURLWithPath: file).path
            }
            settings.username = self.username
            settings.sentCopy = self.sentCopy?.rawValue
            settings.password = try self.password.read(prompt: prompt).map(StoredSecret.init)
            return settings
        }

        /// `mail.example`, `mail.example:1993`, `[::1]:1993`.
        private static func endpoint(
            _ text: String,
            security: Endpoint.Security,
            port: Int
        ) throws -> Endpoint {
            if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
                let host = String(text[text.index(after: text.startIndex)..<end])
                let rest = text[text.index(after: end)...].dropFirst()
                guard rest.isEmpty || Int(rest) != nil else {
                    throw Failure("\(text) is no server")
                }
                return Endpoint(host: host, port: Int(rest) ?? port, tls: security)
            }
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let host = parts.first, !host.isEmpty else {
                throw Failure(
                    "\(text) is no server: HOST or HOST:PORT, an IPv6 address in brackets"
                )
            }
            guard parts.count == 1 || Int(parts[1]) != nil else {
                throw Failure("\(parts[1]) is no port")
            }
            let named = parts.count == 2 ? Int(parts[1]) : nil
            return Endpoint(host: String(host), port: named ?? port, tls: security)
        }
    }

    struct Add: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @Argument var address: String
        @Option var kind: Kind
        @OptionGroup var settings: Settings

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

    struct Set: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @Argument var address: String
        @OptionGroup var settings: Settings

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

    struct List: AsyncParsableCommand {
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

    struct Show: AsyncParsableCommand {
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
            GrantCommand.show(try store.grants(account: self.address, subject: nil))
            GrantCommand.show(try store.withdrawals(account: self.address, subject: nil))
        }

        private static func credential(of account: AccountRow) -> String {
            if account.hasCredential { return "password set" }
            return account.kind == Account.Kind.exchange.rawValue
                ? "tokens of the gateway's application" : "missing"
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Log in at the account's server and print what it offers."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument var address: String

        struct Found: Encodable {
            var account: String
            var greeting: String
            var tls: String?
            var capabilities: [String]
            var delimiter: String?
            var folders: [String]
            /// Lines of the server's list whose folders nobody sees, in escaped form.
            var omitted: [String]
            /// Folders that grants name, and that are not listed.
            var missingFolders: [String]
            /// What the server for sending offers; empty without one.
            var sending: [String]
        }

        func run() async throws {
            // The folders of anybody's mailbox are told.
            let (store, _) = try await self.configuration.openForChange()
            let account = try store.upstream(self.address)
            let credential = try await self.configuration.credential(of: account)
            // Tried although it may rest in the running gateway, which hears what comes of it.
            let stored = StoredCredentials(try await self.configuration.load())
            let report: ProbeReport
            do {
                report = try await stored.probe(account, service: .imap) { () throws(ProbeError) in
                    try await UpstreamProbe().probe(account, credential: credential)
                }
            } catch {
                throw Failure("\(account.imap.host):\(account.imap.port) \(error)")
            }
            let found = Found(
                account: account.address,
                greeting: report.greeting,
                tls: report.tls,
                capabilities: report.capabilities,
                delimiter: report.delimiter,
                folders: report.folders.map(\.description),
                omitted: report.omittedLines,
                missingFolders: try store.foldersOfGrants(
                    on: account.address,
                    missingIn: report
                ).map(\.description),
                sending: try await Self.sending(account, credential: credential, stored: stored)
            )
            if self.output.json { return try Output.json(found) }
            let missing = found.missingFolders.map { ["granted, not there", $0] }
            Output.table(
                ["ACCOUNT", found.account],
                rows: missing + [
                    ["greeting", found.greeting],
                    ["TLS", found.tls ?? "none"],
                    ["delimiter", found.delimiter ?? "none"],
                    [
                        "folders",
                        "\(found.folders.count): \(found.folders.joined(separator: ", "))",
                    ],
                ]
                    + found.omitted.map { ["omitted, cannot be shown", $0] } + [
                        ["capabilities", found.capabilities.joined(separator: " ")],
                        [
                            "sending",
                            found.sending.isEmpty
                                ? "no server" : found.sending.joined(separator: " "),
                        ],
                    ]
            )
        }

        private static func sending(
            _ account: UpstreamAccount,
            credential: UpstreamCredential,
            stored: StoredCredentials
        ) async throws -> [String] {
            guard let smtp = account.smtp else { return [] }
            do {
                return try await stored.probe(account, service: .submission) {
                    () throws(ProbeError) in
                    try await SubmissionProbe().probe(smtp, credential: credential)
                }
            } catch {
                throw Failure("\(smtp.host):\(smtp.port) \(error)")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
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
