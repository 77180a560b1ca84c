import ArgumentParser
import Foundation
import Gateway

/// The part `authentication` of a new configuration: who checks passwords, and how to reach it.
enum SourceSettings: Equatable {
    /// The source of all logins.
    enum Source: String, CaseIterable, ExpressibleByArgument {
        case upstream, ldap, oauth, gateway

        /// What the question says about it.
        fileprivate var meaning: String {
            switch self {
            case .upstream: "the mail server of each user's own mailbox"
            case .ldap: "an LDAP directory, such as Active Directory"
            case .oauth: "an OpenID provider, with access tokens"
            case .gateway: "the gateway, with passwords of its own"
            }
        }
    }

    /// A directory that is searched.
    struct Directory: Equatable {
        /// `ldaps://HOST`, or `ldap://HOST` for StartTLS.
        var server: String
        /// The base of the users.
        var base: String
        /// The distinguished name of the gateway's own account.
        var account: String
        /// The file beside the configuration with the password of the account.
        static let passwordFile = "ldap.secret"
    }

    /// An issuer of access tokens.
    struct Issuer: Equatable {
        /// The issuer's name, an HTTPS URL.
        var name: String
        /// The name of the gateway in the claim `aud`.
        var audience: String
        /// The claim that is the login.
        static let claim = "email"
    }

    case upstream
    case ldap(Directory)
    case oauth(Issuer)
    case gateway

    /// The lines of the configuration.
    var yaml: String {
        let sources = """
            # Who checks the passwords and tokens of users: upstream, the IMAP server of the user's own
            # mailbox; ldap, a directory; oauth, an issuer of access tokens; gateway, the passwords that
            # gatepost user password sets. learn: on stores a password that the mail server accepted, so
            # that the mailbox can be shared. All keys: gatepost.yaml(5).
            authentication:
            """
        switch self {
        case .upstream:
            return sources + """

                  sources: [upstream]
                  # domains: ["example.com gateway"]
                  learn: "on"
                """
        case .gateway:
            return sources + """

                  sources: [gateway]
                  # domains: ["example.com upstream"]
                  learn: "off"
                """
        case .ldap(let directory):
            return sources + """

                  sources: [ldap]
                  learn: "off"
                  ldap:
                    servers: [\(Self.quoted(directory.server))]
                    base: \(Self.quoted(directory.base))
                    filter: "(mail={login})"
                    account: \(Self.quoted(directory.account))
                    # The password of the account: one line. Only the gateway's user may read the file.
                    passwordFile: \(Directory.passwordFile)
                """
        case .oauth(let issuer):
            let text = "\(issuer.name) audience=\(issuer.audience) claim=\(Issuer.claim)"
            return sources + """

                  sources: [oauth]
                  learn: "off"
                  issuers: [\(Self.quoted(text))]
                """
        }
    }

    /// A text in quotation marks (YAML 1.2.2 §7.3.1).
    private static func quoted(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }
}

/// The options of `gatepost init` about logins, and the questions of a terminal instead of them.
struct SourceOptions: ParsableArguments {
    @Option(
        help: """
            Choose who checks passwords: upstream (the users' mail servers), ldap, oauth or gateway; at \
            a terminal the command asks.
            """
    )
    var source: SourceSettings.Source?
    @Option(help: "Ask this directory, ldaps://HOST[:PORT] or ldap://HOST[:PORT].")
    var ldapServer: String?
    @Option(help: "Search the users below this entry.") var ldapBase: String?
    @Option(help: "Search with this account, a distinguished name.") var ldapAccount: String?
    @Option(help: "Accept access tokens of this issuer, an https URL.") var issuer: String?
    @Option(help: "Require this name of the gateway in tokens.") var audience: String?

    /// The settings that the options name; at a terminal, missing ones are asked for.
    /// - Parameter ask: asks a question and returns the answer; nil if nobody can answer.
    /// - Throws: ``Failure`` for a missing or unusable value.
    func settings(ask: ((String) -> String?)?) throws(Failure) -> SourceSettings {
        switch try self.source(ask: ask) {
        case .upstream: return .upstream
        case .gateway: return .gateway
        case .ldap:
            let server = try self.value(
                self.ldapServer,
                option: "--ldap-server",
                question: "Server of the directory (ldaps://HOST): ",
                ask: ask
            )
            guard server.hasPrefix("ldaps://") || server.hasPrefix("ldap://") else {
                throw Failure(
                    "\(server) is no directory: write ldaps://HOST, or ldap://HOST for StartTLS"
                )
            }
            return .ldap(
                SourceSettings.Directory(
                    server: server,
                    base: try self.value(
                        self.ldapBase,
                        option: "--ldap-base",
                        question: "Entry above all users (dc=kanzlei,dc=example): ",
                        ask: ask
                    ),
                    account: try self.value(
                        self.ldapAccount,
                        option: "--ldap-account",
                        question: "The gateway's account there (a distinguished name): ",
                        ask: ask
                    )
                )
            )
        case .oauth:
            let issuer = try self.value(
                self.issuer,
                option: "--issuer",
                question: "Issuer of the tokens (an https URL): ",
                ask: ask
            )
            let audience = try self.value(
                self.audience,
                option: "--audience",
                question: "Name of the gateway in tokens (audience): ",
                ask: ask
            )
            guard issuer.hasPrefix("https://"), !issuer.contains(" ") else {
                throw Failure("\(issuer) is no issuer: write its https URL")
            }
            guard !audience.contains(" ") else {
                throw Failure("\(audience) is no audience: it has no spaces")
            }
            return .oauth(SourceSettings.Issuer(name: issuer, audience: audience))
        }
    }

    /// The source that the option names, or the answer to a question.
    private func source(ask: ((String) -> String?)?) throws(Failure) -> SourceSettings.Source {
        if let source = self.source { return source }
        // Options of a source say which one is meant.
        if self.ldapServer != nil || self.ldapBase != nil || self.ldapAccount != nil {
            return .ldap
        }
        if self.issuer != nil || self.audience != nil { return .oauth }
        guard let ask else { return .gateway }
        let choices = SourceSettings.Source.allCases
        let list = choices.enumerated().map { "  \($0 + 1)  \($1.meaning)\n" }.joined()
        let answer = ask("Who checks the passwords of users?\n\(list)1 to \(choices.count) [1]: ")
        guard let answer else { throw Failure("no answer: nothing was written; use --source") }
        let text = answer.trimmingCharacters(in: .whitespaces)
        if text.isEmpty { return choices[0] }
        if let number = Int(text), choices.indices.contains(number - 1) {
            return choices[number - 1]
        }
        guard let source = SourceSettings.Source(rawValue: text) else {
            throw Failure("\(text) is no choice: nothing was written; answer 1 to \(choices.count)")
        }
        return source
    }

    /// The value of an option, or the answer to a question.
    private func value(
        _ value: String?,
        option: String,
        question: String,
        ask: ((String) -> String?)?
    ) throws(Failure) -> String {
        let text = (value ?? ask?(question) ?? "").trimmingCharacters(in: .whitespaces)
        guard !text.isEmpty else { throw Failure("\(option) is missing: nothing was written") }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw Failure("\(option) contains a control character: nothing was written")
        }
        return text
    }
}
