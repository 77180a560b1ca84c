import Access
import SMTP

/// The envelope and the replies of the server, while a message is received.
extension SubmissionSession {
    mutating func beginEnvelope(_ receiving: Receiving, route: AccountID) {
        receiving.stage = .envelope(recipientsSent: 0)
        guard let upstream = self.upstream, upstream.account == route, upstream.profile != nil,
            !upstream.isDirty, !upstream.isOutdated
        else { return self.openUpstream(route) }
        self.envelopeConnected(receiving)
    }

    mutating func envelopeConnected(_ receiving: Receiving) {
        guard let transaction = self.transaction, let profile = self.upstream?.profile else {
            return self.refuseMessage(receiving, reply: .unavailable)
        }
        let needsDSN = transaction.recipients.contains(where: \.usesDSN)
        if needsDSN, !profile.has("DSN") { return self.refuseMessage(receiving, reply: .noDSN) }
        if let reply = Self.cannotCarry(transaction.mail, profile: profile) {
            return self.refuseMessage(receiving, reply: reply)
        }
        self.actions.append(.toUpstream(self.encoded(transaction.mail, profile: profile)))
    }

    // MARK: - Answers of the server

    mutating func replyReceivedWhileReceiving(_ reply: ServerReply, receiving: Receiving) {
        switch receiving.stage {
        case .envelope(let recipientsSent):
            self.envelopeReplyReceived(reply, receiving: receiving, recipientsSent: recipientsSent)
        case .data:
            if reply.code == 354 { return self.startStreaming(receiving) }
            // The server did not begin to take the message, and so can stay.
            receiving.stage = .envelope(recipientsSent: 0)
            self.refuseMessage(receiving, reply: self.passed(reply, expectsSuccess: false))
        case .verdict:
            self.verdictReceived(reply, receiving: receiving)
        case .header, .streaming, .keepingCopy, .filingCopy, .discarding:
            // Nothing was asked: whatever this is, the server is out of step.
            self.upstreamLost(.unavailable)
        }
    }

    private mutating func verdictReceived(_ reply: ServerReply, receiving: Receiving) {
        if reply.isPositive {
            self.auditSent(self.transaction, isConfirmed: true)
            self.upstream?.isDirty = false
        } else {
            self.dropCopy(receiving)
        }
        self.transaction = nil
        let passed = self.passed(reply, expectsSuccess: true)
        guard receiving.copies.isEmpty else { return self.fileCopy(receiving, reply: passed) }
        self.messageEnded(passed)
    }

    /// The client is told what became of its message.
    mutating func messageEnded(_ reply: SubmissionReply) {
        self.running = .nothing
        self.reply(reply)
        if self.endsAfterVerdict { self.end(.closing) }
    }

    private mutating func envelopeReplyReceived(
        _ reply: ServerReply,
        receiving: Receiving,
        recipientsSent: Int
    ) {
        self.upstream?.isDirty = true
        guard reply.isPositive, let recipients = self.transaction?.recipients else {
            return self.refuseMessage(receiving, reply: self.passed(reply, expectsSuccess: false))
        }
        if recipientsSent < recipients.count {
            receiving.stage = .envelope(recipientsSent: recipientsSent + 1)
            self.actions.append(.toUpstream(Self.encoded(recipients[recipientsSent])))
        } else {
            receiving.stage = .data
            self.send("DATA")
        }
    }
}
