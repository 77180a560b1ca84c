import Access
import Store

/// The sources of a gateway, and which of them are asked for a login.
struct AuthenticationSources: Sendable {
    /// Each source once. The first ones are the passwords in the store, which also take the time of a
    /// check for a login that no source knows.
    let all: [any AuthenticationSource]
    private let settings: AuthenticationSettings

    /// - Parameters:
    ///   - others: the sources besides the passwords in the store.
    ///   - noteUse: records when an app password was used; returns at once.
    init(
        _ settings: AuthenticationSettings = AuthenticationSettings(),
        others: [any AuthenticationSource] = [],
        noteUse: (@Sendable (AppPasswordID) -> Void)? = nil
    ) {
        self.settings = settings
        self.all = [StoredPasswords(noteUse: noteUse)] + others
    }

    /// The checks of a login, in the order in which its sources are asked. A check is named by the
    /// number of its source in ``all``.
    func checks(
        of claim: LoginClaim,
        in permissions: StoreSnapshot
    ) -> [(source: Int, check: SourceCheck)] {
        let names = self.settings.sources(for: claim.user.login)
        // An app password that matches is one beyond doubt: no other server is told it.
        if names.contains(.gateway), let stored = self.all.first as? StoredPasswords,
            let check = stored.checkOfAppPassword(of: claim, in: permissions)
        {
            return [(0, check)]
        }
        return names.compactMap { name in
            guard let source = self.all.firstIndex(where: { $0.name == name }),
                let check = self.all[source].check(of: claim, in: permissions)
            else { return nil }
            return (source, check)
        }
    }

    /// Whether the next login of an account's owner gives the gateway the credential of the account.
    func learns(_ account: AccountID, in permissions: StoreSnapshot) -> Bool {
        self.settings.teacher(of: account, in: permissions) != nil
    }

    /// Whether a source of a login is asked over the network, which takes longer than a password in the
    /// store. A refusal must not tell whether the login exists.
    /// - Parameter login: the octets that the client sent.
    func asksNetwork(for login: [UInt8]) -> Bool {
        self.settings.sources(for: login).contains { $0 != .gateway }
    }
}
