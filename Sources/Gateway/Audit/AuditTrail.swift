import Access
import NIOCore
import Session
import Store

/// The audit records of one connection.
struct AuditTrail {
    /// Octets of an unknown login that are recorded.
    private static let maximumLoginOctets = 254

    private let log: AuditLog
    /// The client's address.
    private let address: String?
    /// Combines repeated events of this connection.
    private var limiter: AuditLimiter
    /// The user, or the login that was tried.
    private var actor = "nobody"

    /// - Parameter isRequired: whether shared access depends on the audit log.
    init(_ log: AuditLog, address: SocketAddress?, isRequired: Bool = false) {
        self.log = log
        self.limiter = AuditLimiter(recordsEach: isRequired)
        self.address = address?.ipAddress
    }

    /// Begins a login. A name that is not an address is not recorded: it may be a password in the
    /// wrong field.
    /// - Returns: the name of the client in the audit log.
    mutating func loginTried(_ login: [UInt8], snapshot: Access.Snapshot) -> String {
        // Counted events belong to the previous actor.
        self.flush(snapshot)
        let text = String(decoding: login.prefix(Self.maximumLoginOctets), as: UTF8.self)
        let known = Address(login).flatMap { snapshot.user(login: $0)?.login.description }
        let domain = text.split(separator: "@", maxSplits: 1).dropFirst().first
        let isAddress = Address(login) != nil && domain?.contains(".") ?? false
        self.actor = known ?? (isAddress ? "unknown \(text)" : "unknown")
        return self.actor
    }

    /// Records an event, or counts it.
    /// - Parameters:
    ///   - snapshot: the snapshot that names accounts.
    ///   - commit: receives the records of what was opened, changed or sent, instead of the log; nil
    ///     for none.
    mutating func record(
        _ event: AuditEvent,
        snapshot: Access.Snapshot,
        commit: ((AuditRecord) -> Void)? = nil
    ) {
        for event in self.limiter.admit(event, at: .current) {
            let record = self.record(of: event, snapshot: snapshot)
            if let commit, event.opensAccount {
                commit(record)
            } else {
                self.log.append(record)
            }
        }
    }

    /// Records counted events at the end of the connection or of a minute.
    mutating func flush(_ snapshot: Access.Snapshot) {
        for event in self.limiter.flush() {
            self.log.append(self.record(of: event, snapshot: snapshot))
        }
    }

    /// Converts an event to a record, with the names that accounts have in the snapshot.
    private func record(of event: AuditEvent, snapshot: Access.Snapshot) -> AuditRecord {
        var record = AuditRecord(
            event: event.name,
            outcome: event.outcome,
            actor: self.actor,
            from: self.address
        )
        func address(_ mailbox: AuditEvent.MailboxReference?) -> String? {
            mailbox.flatMap { snapshot.accounts[$0.account]?.address.description }
        }
        record.account = address(event.mailbox)
        record.folder = event.mailbox?.folder?.description
        record.targetAccount = address(event.target)
        record.targetFolder = event.target?.folder?.description
        record.count = event.count
        record.because = event.because.isEmpty ? nil : event.because
        record.detail = event.detail.isEmpty ? nil : event.detail
        return record
    }
}
