package import Access
package import SASL

/// An account as it is added or changed; nil leaves a value as it is.
package struct AccountSettings: Sendable {
    package var kind: Account.Kind?
    /// A login; an empty one takes the owner away.
    package var owner: String?
    package var aliases: [String]?
    package var imap: Endpoint?
    package var smtp: Endpoint?
    package var caFile: String?
    package var username: String?
    package var password: Secret<String>?
    package var sentCopy: String?

    package init() {}

    /// What is set, for the audit log; no password.
    var changes: [String] {
        func server(_ name: String, endpoint: Endpoint?) -> String? {
            endpoint.map { "\(name) \($0.host):\($0.port) \($0.tls.rawValue)" }
        }
        return [
            self.kind.map { "kind \($0.rawValue)" }, self.owner.map { "owner \($0)" },
            self.aliases.map { "aliases \($0.joined(separator: " "))" },
            server("imap", endpoint: self.imap), server("smtp", endpoint: self.smtp),
            self.caFile.map { "ca \($0)" },
            self.username.map { "username \($0)" }, self.password.map { _ in "password" },
            self.sentCopy.map { "sent copy \($0)" },
        ].compactMap { $0 }
    }
}
