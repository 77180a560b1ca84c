import Access
import SMTP

/// What the audit log has of sending: each message in another's name, and each refusal.
extension SubmissionSession {
    /// An address may not be sent from, or a message not be sent.
    mutating func auditRefused(_ refused: SubmissionReply.Refused, _ authors: MessageAuthors?) {
        var event = AuditEvent("send")
        event.outcome = .refused
        event.detail = ["rule: \(refused)"]
        let claimed = [authors?.reversePath].compactMap { $0 } + (authors?.from ?? [])
        for address in claimed {
            guard let text = address.address?.description else { continue }
            event.detail.append("as \(text)")
        }
        let account = claimed.compactMap(\.address).compactMap(self.snapshot.account).first {
            self.right(on: $0.id) == .none
        }
        if let account { self.addReasons(account.id, to: &event) }
        self.actions.append(.audit(event))
    }

    /// A right ended in the middle of a transaction.
    mutating func auditForbidden(_ refused: SubmissionReply.Refused) {
        let reversePath = self.transaction?.reversePath
        let authors = self.transaction?.authors
        self.auditRefused(refused, authors ?? MessageAuthors(reversePath: reversePath, from: []))
    }

    /// A message went out, or may have.
    ///
    /// - Parameter isConfirmed: whether its server said so.
    mutating func auditSent(_ transaction: Transaction?, isConfirmed: Bool) {
        guard let transaction, let authors = transaction.authors else { return }
        var seen: Set<AccountID> = []
        for claimed in [authors.reversePath].compactMap({ $0 }) + authors.from + authors.resent {
            guard let account = claimed.address.flatMap(self.snapshot.account),
                account.owner != self.user, seen.insert(account.id).inserted
            else { continue }
            let right = self.right(on: account.id)
            var event = AuditEvent(right == .onBehalf ? "send on behalf" : "send as")
            event.detail = ["\(transaction.recipients.count) recipients"]
            if !isConfirmed { event.detail.append("the session ended before the answer") }
            self.addReasons(account.id, to: &event)
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
