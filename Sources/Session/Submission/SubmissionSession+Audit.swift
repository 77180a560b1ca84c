import Access
import SMTP

/// What the audit log has of sending: each message in another's name, and each refusal.
extension SubmissionSession {
    /// Addresses of a refused message that a record names: a header has room for thousands.
    private static let maximumNamedAddresses = 16

    /// An address may not be sent from, or a message not be sent.
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

    /// A right ended in the middle of a transaction.
    mutating func auditForbidden(_ refused: SubmissionReply.Refused) {
        let reversePath = self.transaction?.reversePath
        let authors = self.transaction?.authors
        self.auditRefused(
            refused,
            authors: authors ?? MessageAuthors(reversePath: reversePath, from: [])
        )
    }

    /// What the log will have of a message once it went out: one record for each account of somebody
    /// else's in whose name it is, with what decides now.
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

    /// A message went out, or may have.
    ///
    /// - Parameter isConfirmed: whether its server said so.
    mutating func auditSent(_ transaction: Transaction?, isConfirmed: Bool) {
        for var event in transaction?.audited ?? [] {
            if !isConfirmed { event.detail.append("the server's answer was not heard") }
            self.actions.append(.audit(event))
        }
    }

    private func right(on account: AccountID) -> SendRight {
        self.snapshot.access(of: self.user, to: account, at: self.now).send
    }

    private func addReasons(_ account: AccountID, to event: inout AuditEvent) {
        event.place = AuditEvent.Place(account: account)
        event.because = self.snapshot.verdict(
            user: self.user,
            account: account,
            folder: nil,
            at: self.now
        ).because.map(self.snapshot.text(of:))
    }
}
