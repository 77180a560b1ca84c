/// The name that a user logs in with, as the placeholders of a template take it.
package struct DirectoryLogin: Equatable, Sendable {
    /// The whole name: `anna@kanzlei.example`.
    package let login: String
    /// The part before the last `@`: `anna`; the whole name if it has no domain.
    package let user: String
    /// The part after the last `@`: `kanzlei.example`; nil if there is none.
    package let domain: String?

    package init(_ login: String) {
        self.login = login
        guard let at = login.lastIndex(of: "@"), at != login.startIndex,
            login.index(after: at) != login.endIndex
        else {
            self.user = login
            self.domain = nil
            return
        }
        self.user = String(login[..<at])
        self.domain = String(login[login.index(after: at)...])
    }
}

/// A placeholder of a template.
package enum DirectoryPlaceholder: String, CaseIterable, Sendable {
    /// ``DirectoryLogin/login``.
    case login
    /// ``DirectoryLogin/user``.
    case user
    /// ``DirectoryLogin/domain``.
    case domain

    /// The value of a login; nil if the login has none.
    func value(of login: DirectoryLogin) -> String? {
        let value: String? =
            switch self {
            case .login: login.login
            case .user: login.user
            case .domain: login.domain
            }
        return value?.isEmpty == true ? nil : value
    }
}
