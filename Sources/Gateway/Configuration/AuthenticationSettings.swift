package import Access
package import OAuth
import Session
package import Store

/// The part `authentication` of the configuration: which sources verify logins.
package struct AuthenticationSettings: Sendable {
    /// The sources of a login whose domain is not in ``domains``, in the order in which they are asked.
    package var sources: [AuthenticationSourceName] = [.gateway]
    /// The sources by the domain of the login, in lower case.
    package var domains: [String: [AuthenticationSourceName]] = [:]
    /// Whether a password that opens a mailbox is stored as the credential of the account, so that the
    /// mailbox can be shared.
    package var learns = false
    /// The directory; nil if `ldap` is not used.
    package var directory: DirectorySettings?
    /// The issuers of access tokens; empty if `oauth` is not used.
    package var issuers: [TokenIssuer] = []
    /// The domains whose logins an issuer vouches for, in lower case, by the issuer's name; an issuer
    /// that is missing vouches for all.
    package var issuerDomains: [String: Set<String>] = [:]

    package init() {}

    /// The sources of a login.
    package func sources(for login: Address) -> [AuthenticationSourceName] {
        self.sources(for: login.octets)
    }

    /// The sources of a login.
    /// - Parameter login: a login name with ASCII letters in any case. A login without a domain has
    ///   ``sources``.
    func sources(for login: [UInt8]) -> [AuthenticationSourceName] {
        guard !self.domains.isEmpty, let at = login.lastIndex(of: UInt8(ascii: "@")) else {
            return self.sources
        }
        let domain = String(
            decoding: LoginFailures.folded(Array(login[(at + 1)...])),
            as: UTF8.self
        )
        return self.domains[domain] ?? self.sources
    }

    /// The user whose next login gives the gateway the credential of an account; nil for nobody.
    package func teacher(of account: AccountID, in permissions: StoreSnapshot) -> User? {
        guard self.learns, let owner = permissions.access.accounts[account]?.owner,
            let user = permissions.access.users[owner], !user.isDisabled,
            permissions.access.accountOfLogin(of: owner) == account,
            permissions.endpoints[account]?.kind == .imap
        else { return nil }
        let sources = self.sources(for: user.login)
        // A source before it must not know the user. Tokens teach nothing.
        guard let place = sources.firstIndex(of: .upstream) else { return nil }
        let isAsked = sources[..<place].allSatisfy { source in
            switch source {
            case .gateway: permissions.passwords[owner] == nil
            case .oauth: true
            case .ldap, .upstream: false
            }
        }
        return isAsked ? user : nil
    }

    /// Whether the passwords and app passwords in the store count for a login.
    package func checksStoredPasswords(of login: Address) -> Bool {
        self.sources(for: login).contains(.gateway)
    }

    /// How clients may log in: with what any of the sources checks.
    var methods: LoginMethods {
        let names = Set(self.sources + self.domains.values.joined())
        guard names.contains(where: \.takesTokens) else { return LoginMethods() }
        let scopes = Set(self.issuers.map(\.requiredScopes))
        let only = self.issuers.count == 1 ? self.issuers.first : nil
        return LoginMethods(
            takesPasswords: names.contains { !$0.takesTokens },
            tokens: TokenRequirements(
                scope: scopes.count == 1 ? (scopes.first ?? []).joined(separator: " ") : "",
                configuration: only.flatMap(\.discoveryURL)
            )
        )
    }

    /// Whether a source is asked for any login.
    package func uses(_ source: AuthenticationSourceName) -> Bool {
        self.sources.contains(source) || self.domains.values.contains { $0.contains(source) }
    }
}

extension Address {
    /// The part behind the last `@`, in lower case; empty if there is none.
    var domain: String {
        guard let at = self.octets.lastIndex(of: UInt8(ascii: "@")) else { return "" }
        return String(decoding: self.octets[(at + 1)...], as: UTF8.self)
    }
}
