import Access
import LDAP
import SASL
import Session
import Store

/// The passwords that an LDAP directory knows (`authentication.ldap`): a login is right if a bind as the
/// user's entry succeeds (RFC 4513 §5.1.3).
///
/// Safe to use from any thread.
final class DirectoryPasswords: AuthenticationSource {
    typealias Verifier = @Sendable (_ login: Address, _ password: Secret<[UInt8]>) -> UpstreamAnswer

    let name = AuthenticationSourceName.ldap
    /// Threads that wait for the directory.
    let threads = PasswordQuestions.threads

    private let verifier: Verifier
    private let questions = PasswordQuestions()
    private static let subject = Array("ldap".utf8)

    /// - Parameter verifier: asks the directory. Blocks for at most
    ///   ``PasswordQuestions/longestQuestion``.
    init(verifier: @escaping Verifier) {
        self.verifier = verifier
    }

    func check(of claim: LoginClaim, in permissions: StoreSnapshot) -> SourceCheck? {
        guard claim.token == nil else { return nil }
        return SourceCheck(subject: Self.subject, basis: Self.subject) { [self] in
            self.verify(claim)
        }
    }

    private func verify(_ claim: LoginClaim) -> SourceVerdict {
        // A bind without a password succeeds as nobody (RFC 4513 §5.1.2).
        guard let password = claim.password,
            UpstreamCredential.isLegal(password.value),
            String(validating: password.value, as: UTF8.self) != nil
        else { return .refused(detail: "the directory cannot be sent such a password") }
        return self.questions.ask(
            claim,
            password: password,
            subject: Self.subject,
            server: "the directory"
        ) {
            self.verifier(claim.user.login, password)
        }
    }
}

extension DirectorySettings {
    /// Asks the directory about a password.
    func verify(_ login: Address, password: Secret<[UInt8]>) -> UpstreamAnswer {
        let person = DirectoryLogin(login.description)
        do throws(DirectoryError) {
            return try self.servers.perform { connection throws(DirectoryError) in
                if case .search(let search) = self.lookup { try search.account.bind(connection) }
                let entry: String?
                do throws(DirectoryError) {
                    entry = try self.entry(of: login, person: person, at: connection)
                } catch .unavailable(let reason) {
                    throw .unavailable(reason)
                } catch {
                    return .undecided(reason: "\(error)")
                }
                guard let entry else { return .unknown }
                return self.answer(of: entry, password: password, at: connection)
            }
        } catch {
            return .notAsked(reason: "\(error)")
        }
    }

    /// Binds as a user's entry. No other server is asked after that: each one counts wrong passwords.
    private func answer(
        of entry: String,
        password: Secret<[UInt8]>,
        at connection: DirectoryConnection
    ) -> UpstreamAnswer {
        do throws(DirectoryError) {
            try connection.bind(as: entry, password: password.value)
            // A server may bind as another entry than the one that was named.
            switch try connection.identity() {
            case .name(let name) where DirectoryName.areEqual(name, and: entry): return .accepted
            // The password may be right: the directory contradicts itself.
            case .name(let name):
                return .unanswered(reason: "the directory logged in \(name) instead of \(entry)")
            case .anonymous:
                return .unanswered(reason: "the directory logged in nobody instead of \(entry)")
            case .user, nil: return .accepted
            }
        } catch .refused {
            return .refused
        } catch {
            return .unanswered(reason: "\(error)")
        }
    }

    /// The distinguished name of a user's entry; nil if the directory has none.
    private func entry(
        of login: Address,
        person: DirectoryLogin,
        at connection: DirectoryConnection
    ) throws(DirectoryError) -> String? {
        switch self.lookup {
        case .template(let template):
            return template.name(for: person)
        case .search(let search):
            return try search.entry(of: login, person: person, at: connection)
        }
    }
}

extension DirectorySettings.Search {
    /// Finds the only entry that matches the filter and has the login in its attribute.
    fileprivate func entry(
        of login: Address,
        person: DirectoryLogin,
        at connection: DirectoryConnection
    ) throws(DirectoryError) -> String? {
        guard let filter = self.filter.filter(for: person) else { return nil }
        let entries = try connection.search(
            DirectorySearch(
                base: self.base,
                scope: .subtree,
                filter: filter,
                attributes: [self.loginAttribute],
                maximumEntries: 10
            )
        )
        // A filter may match more than it should, and a server may answer what was not asked.
        let found = entries.filter { entry in
            entry.strings(of: self.loginAttribute).contains { Address($0.utf8) == login }
        }
        guard found.count == 1 || entries.isEmpty else {
            throw .failed(
                "\(found.count) of \(entries.count) entries that match the filter have the login in "
                    + "\(self.loginAttribute): correct the directory, or authentication.ldap"
            )
        }
        guard let name = found.first?.name else { return nil }
        // A bind without a name succeeds as nobody.
        guard !name.isEmpty else { throw .failed("the directory has an entry without a name") }
        return name
    }
}

extension DirectoryAccount {
    /// Binds as the gateway's own account.
    /// - Throws: `failed` if the directory refuses it: that is no refusal of the user.
    func bind(_ connection: DirectoryConnection) throws(DirectoryError) {
        do throws(DirectoryError) {
            try connection.bind(as: self.name, password: self.password.value)
        } catch .refused(let reason) {
            throw .failed(
                "the directory refuses the gateway's own account (authentication.ldap): \(reason)"
            )
        }
    }
}
