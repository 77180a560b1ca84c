package import Access
import Foundation

/// A grant as a command or a document requests it, with names instead of keys.
package struct GrantRequest: Sendable {
    /// Any address of the account.
    package var account: String
    /// A login, or `group:NAME`.
    package var subject: String
    /// The IMAP rights in the scope (RFC 4314); empty for a grant that only allows sending.
    package var rights: Rights
    /// The right to send from the account.
    package var send: SendRight
    /// The whole account, a folder, or a folder with everything below it.
    package var scope: Scope
    /// When the grant ends; nil for a grant without an end.
    package var until: Moment?
    /// Recorded in the audit log and in the owner's notice.
    package var reason: String?

    /// Creates a request without checking it; ``StoreTransaction/insert(_:)`` checks it.
    package init(
        account: String,
        subject: String,
        rights: Rights,
        send: SendRight,
        scope: Scope = .account,
        until: Moment? = nil,
        reason: String? = nil
    ) {
        self.account = account
        self.subject = subject
        self.rights = rights
        self.send = send
        self.scope = scope
        self.until = until
        self.reason = reason
    }

    /// The sides, viewing and sending, on which the grant gives something.
    var sides: Sides { Sides(view: !self.rights.isEmpty, send: self.send != .none) }
}

/// A requested grant as the audit log and notices describe it.
extension GrantRequest {
    /// One line: scope, rights, right to send, and the end, in UTC.
    var line: String {
        let place =
            switch self.scope {
            case .account: "the whole account"
            case .folder(let folder): "folder \(folder)"
            case .subtree(let folder): "folder \(folder) and below"
            }
        let rights = self.rights.isEmpty ? "no folder rights" : "rights \(self.rights.letters)"
        let end = self.until.map { date in
            let text = Date(timeIntervalSince1970: TimeInterval(date.seconds)).ISO8601Format()
            return ", until \(text)"
        }
        return "\(place): \(rights), sending \(self.send.name)\(end ?? "")"
    }
}
