import Access
import SMTP

/// Audit records of submission: each message that is sent as or on behalf of another account, and each refusal.
extension SubmissionSession {
    /// Addresses of a refused message that a record names. A client could otherwise fill the audit log, because a
    /// header has room for thousands of addresses.
    private static let maximumNamedAddresses = 16

    /// Records that an address or a whole message was refused.
    ///
    /// - Parameters:
    ///   - refused: the rule that refused it.
    ///   - authors: the addresses that the client claimed. The record gives the reasons for the first account on
    ///     which the user has no right, or else for the first account of another owner.
    mutating func auditRefused(_ refused: SubmissionReply.Refused, authors: MessageAuthors?) {
        var event = AuditEvent("send")
        event.outcome = .refused
        event.detail = ["rule: \(refused)"]
        let claimed = [authors?.reversePath].compactMap { $0 } + (authors?.from ?? [])
        var seen: Set<Address> = []
        let addresses = claimed.compactMap(\.address).filter { seen.insert($0).inserted }
        event.detail += addresses.prefix(Self.maximumNamedAddresses).map { "as \($0)" }
        if addresses.count > Self.maximumNamedAddresses {
            event.detail.append("and \(addresses.count - Self.maximumNamedAddresses) more")
        }
        let accounts = addresses.compactMap(self.snapshot.account)
        let account =
            accounts.first { self.right(on: $0.id) == .none }
            ?? accounts.first { $0.owner != self.user }
        if let account { self.addReasons(account.id, to: &event) }
        self.actions.append(.audit(event))
    }

    /// Records that a right ended during a transaction.
    mutating func auditForbidden(_ refused: SubmissionReply.Refused) {
        let reversePath = self.transaction?.reversePath
        let authors = self.transaction?.authors
        self.auditRefused(
            refused,
            authors: authors ?? MessageAuthors(reversePath: reversePath, from: [])
        )
    }

    /// The records that are written once the message is sent: one for each account of another owner that the
    /// envelope or header names, with the grants that permit it now.
    func auditEvents(of authors: MessageAuthors, recipients: Int) -> [AuditEvent] {
        var seen: Set<AccountID> = []
        let claimed = [authors.reversePath].compactMap { $0 } + authors.from + authors.resent
        return claimed.compactMap { claimed in
            guard let account = claimed.address.flatMap(self.snapshot.account),
                account.owner != self.user, seen.insert(account.id).inserted
            else { return nil }
            let right = self.right(on: account.id)
            var event = AuditEvent(right == .onBehalf ? "send on behalf" : "send as")
            event.detail = ["\(recipients) recipients"]
            self.addReasons(account.id, to: &event)
            return event
        }
    }

    /// Writes the records of a message that was sent, or may have been sent.
    ///
    /// - Parameter isConfirmed: whether the server accepted the message. False if its reply was lost.
    mutating func auditSent(_ transaction: Transaction?, isConfirmed: Bool) {
        for var event in transaction?.audited ?? [] {
            if !isConfirmed { event.detail.append("the server's answer was not heard") }
            self.actions.append(.audit(event))
        }
    }

    /// The user's right to send as an account, by the snapshot in force.
    private func right(on account: AccountID) -> SendRight {
        self.snapshot.access(of: self.user, to: account, at: self.now).send
    }

    /// Adds the account and the grants that decide on it to a record.
    private func addReasons(_ account: AccountID, to event: inout AuditEvent) {
        event.mailbox = AuditEvent.MailboxReference(account: account)
        event.because = self.snapshot.verdict(
            user: self.user,
            account: account,
            folder: nil,
            at: self.now
        ).because.map(self.snapshot.text(of:))
    }
}
