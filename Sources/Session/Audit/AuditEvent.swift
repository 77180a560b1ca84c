package import Access

/// What a session opened, did or refused, for the audit log.
package struct AuditEvent: Hashable, Sendable {
    package struct Place: Hashable, Sendable {
        package var account: AccountID
        /// Nil for the account as a whole.
        package var folder: FolderPath?

        package init(account: AccountID, folder: FolderPath? = nil) {
            self.account = account
            self.folder = folder
        }
    }

    package var name: String
    package var outcome = AuditRecord.Outcome.allowed
    package var place: Place?
    /// Where messages went.
    package var target: Place?
    /// Messages.
    package var count: Int?
    package var because: [String] = []
    package var detail: [String] = []

    package init(_ name: String) {
        self.name = name
    }

    /// A login with the right password, of a user who has as many connections as may be.
    static var tooManyConnections: AuditEvent {
        var event = AuditEvent("login")
        event.outcome = .failed
        event.detail = ["the user has too many connections"]
        return event
    }
}

/// Keeps one connection from filling the audit log: what repeats within a minute is one record with
/// its count, and beyond so many different ones the rest is one.
package struct AuditLimiter: Sendable {
    /// Different records of one connection in a minute. A client that looks at all its folders has
    /// some hundred; who tries names has more.
    private static let maximumDifferent = 500
    private static let period: Int64 = 60

    private var began: Int64?
    private var repeated: [AuditEvent: Int] = [:]
    private var further = 0

    package init() {}

    /// - Returns: what is to be recorded now.
    package mutating func admit(_ event: AuditEvent, at now: Moment) -> [AuditEvent] {
        var due: [AuditEvent] = []
        if let began = self.began, now.seconds - began >= Self.period || now.seconds < began {
            due = self.flush()
        }
        if self.began == nil { self.began = now.seconds }
        var key = event
        key.count = nil
        if let count = self.repeated[key] {
            self.repeated[key] = count + (event.count ?? 1)
        } else if self.repeated.count < Self.maximumDifferent {
            self.repeated[key] = 0
            due.append(event)
        } else {
            self.further += 1
        }
        return due
    }

    /// What was counted and not recorded; the connection, or the minute, is over.
    package mutating func flush() -> [AuditEvent] {
        var due: [AuditEvent] = []
        for (key, count) in self.repeated where count > 0 {
            var event = key
            event.count = count
            event.detail.append("again")
            due.append(event)
        }
        if self.further > 0 {
            var event = AuditEvent("further")
            event.outcome = .failed
            event.count = self.further
            event.detail = ["more of this connection in a minute than are kept one by one"]
            due.append(event)
        }
        self.began = nil
        self.repeated = [:]
        self.further = 0
        return due.sorted { $0.name < $1.name }
    }
}
