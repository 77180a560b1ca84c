package import Access

/// An event for the audit log: what a session opened, changed or refused.
package struct AuditEvent: Hashable, Sendable {
    /// The mailbox of an event.
    package struct MailboxReference: Hashable, Sendable {
        package var account: AccountID
        /// Nil if the event is about the whole account.
        package var folder: FolderPath?

        package init(account: AccountID, folder: FolderPath? = nil) {
            self.account = account
            self.folder = folder
        }
    }

    /// The action, as the log names it: `select`.
    package var name: String
    /// Whether the action was permitted, refused, or failed.
    package var outcome = AuditRecord.Outcome.allowed
    /// The mailbox that the action is about.
    package var mailbox: MailboxReference?
    /// The mailbox that messages were copied or moved to, or the new name of a folder.
    package var target: MailboxReference?
    /// The number of messages.
    package var count: Int?
    /// The grants and other reasons for the decision, as text.
    package var because: [String] = []
    /// Further text, such as an unknown mailbox name.
    package var detail: [String] = []

    package init(_ name: String) {
        self.name = name
    }

    /// Whether the event opened an account of another owner, changed it, or sent from it. A login
    /// names no account.
    package var opensAccount: Bool { self.outcome == .allowed && self.mailbox != nil }

    /// A login with the right password by a user who has the maximum number of connections.
    static var tooManyConnections: AuditEvent {
        var event = AuditEvent("login")
        event.outcome = .failed
        event.detail = ["the user has too many connections"]
        return event
    }
}

/// Limits the audit records of one connection. An event that repeats within a minute is counted and
/// written once more with its count. Above a number of different events in a minute, the others are
/// only counted together. Without the limits a client could fill the log.
package struct AuditLimiter: Sendable {
    /// Different events of one connection in a minute. A client that looks at all its folders
    /// causes some hundred; a client that tries names causes more.
    private static let maximumDifferent = 500
    /// Seconds for which events are counted.
    private static let period: Int64 = 60

    /// When the present minute began, in seconds; nil before its first event.
    private var began: Int64?
    /// How often each event has occurred after its first record.
    private var repeated: [AuditEvent: Int] = [:]
    /// Events above the limit of different ones.
    private var further = 0
    /// Whether what was allowed is recorded each time, because the client is answered only then.
    private let recordsEach: Bool
    /// Repeated events of this minute that were recorded nonetheless.
    private var again = 0

    /// - Parameter recordsEach: whether repeated events that were allowed are recorded one by one,
    ///   up to the number of different ones.
    package init(recordsEach: Bool = false) {
        self.recordsEach = recordsEach
    }

    /// Counts an event.
    /// - Returns: the records to write now.
    package mutating func admit(_ event: AuditEvent, at now: Moment) -> [AuditEvent] {
        var due: [AuditEvent] = []
        if let began = self.began, now.seconds - began >= Self.period || now.seconds < began {
            due = self.flush()
        }
        if self.began == nil { self.began = now.seconds }
        var key = event
        key.count = nil
        if let count = self.repeated[key] {
            if self.recordsEach, event.opensAccount, self.again < Self.maximumDifferent {
                self.again += 1
                return due + [event]
            }
            self.repeated[key] = count + (event.count ?? 1)
        } else if self.repeated.count < Self.maximumDifferent {
            self.repeated[key] = 0
            due.append(event)
        } else {
            self.further += 1
        }
        return due
    }

    /// Ends the minute, or the connection.
    /// - Returns: records of everything that was counted and not written.
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
        self.again = 0
        return due.sorted { $0.name < $1.name }
    }
}
