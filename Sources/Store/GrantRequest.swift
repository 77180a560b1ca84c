package import Access

/// A grant as it is asked for.
package struct GrantRequest: Sendable {
    package var account: String
    /// A login, or `group:NAME`.
    package var subject: String
    package var rights: Rights
    package var send: SendRight
    package var scope: Scope
    package var until: Moment?
    package var reason: String?

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

    /// The sides on which it gives something.
    var sides: Sides { Sides(view: !self.rights.isEmpty, send: self.send != .none) }
}
