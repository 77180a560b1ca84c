import Access
import SMTP

/// The envelope and the server's replies while the client sends a message.
extension SubmissionSession {
    /// Begins the envelope of a message with a null reverse-path. Its server is known only from the header. Reuses
    /// the connection if it is logged in, unused by another transaction, and current.
    mutating func beginEnvelope(_ receiving: Receiving, route: AccountID) {
        receiving.stage = .envelope(recipientsSent: 0)
        guard let upstream = self.upstream, upstream.account == route, upstream.profile != nil,
            !upstream.isDirty, !upstream.isOutdated
        else { return self.openUpstream(route) }
        self.envelopeConnected(receiving)
    }

    /// Sends MAIL to the connected server, if the server supports the extensions that the envelope needs.
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

    /// Takes a reply of the server during the client's message.
    mutating func replyReceivedWhileReceiving(_ reply: ServerReply, receiving: Receiving) {
        switch receiving.stage {
        case .envelope(let recipientsSent):
            self.envelopeReplyReceived(reply, receiving: receiving, recipientsSent: recipientsSent)
        case .header:
            self.dataAnsweredAhead(reply, receiving: receiving)
        case .data:
            self.dataAnswered(reply, receiving: receiving)
        case .verdict:
            self.verdictReceived(reply, receiving: receiving)
        case .streaming, .keepingCopy, .filingCopy, .discarding:
            // No command is in flight, so the server's replies no longer match the commands.
            self.upstreamLost(.unavailable)
        }
    }

    /// The server answered DATA before the header is checked. The reply counts after the check.
    private mutating func dataAnsweredAhead(_ reply: ServerReply, receiving: Receiving) {
        guard case .awaited = receiving.dataAhead, reply.code == 354 || reply.isRefusal else {
            return self.upstreamLost(.unavailable)
        }
        receiving.dataAhead = .received(reply)
    }

    /// Sends DATA for a message that is permitted, or goes on with DATA that was sent ahead.
    mutating func beginData(_ receiving: Receiving) {
        receiving.stage = .data
        switch receiving.dataAhead {
        case .notSent: self.send("DATA")
        case .awaited: break
        case .received(let reply): self.dataAnswered(reply, receiving: receiving)
        }
    }

    /// The server accepted DATA, or refused it.
    private mutating func dataAnswered(_ reply: ServerReply, receiving: Receiving) {
        if reply.code == 354 { return self.startStreaming(receiving) }
        // The server did not accept DATA, so the connection can be used again.
        receiving.stage = .envelope(recipientsSent: 0)
        self.refuseMessage(receiving, reply: self.passed(reply, expectsSuccess: false))
    }

    /// The server accepted or refused the whole message.
    private mutating func verdictReceived(_ reply: ServerReply, receiving: Receiving) {
        // Another code below 400 does not say whether the message was accepted.
        guard reply.isAcceptance || reply.code >= 400 else {
            return self.upstreamLost(.unavailable)
        }
        if reply.isAcceptance {
            self.auditSent(self.transaction, isConfirmed: true)
            self.upstream?.isDirty = false
            if !receiving.missingCopies.isEmpty {
                self.actions.append(
                    .copyMissing(receiving.missingCopies, messageID: receiving.messageID)
                )
            }
        } else {
            self.dropCopy(receiving)
        }
        self.transaction = nil
        let passed = self.passed(reply, expectsSuccess: true)
        guard receiving.copies.isEmpty else { return self.fileCopy(receiving, reply: passed) }
        self.messageEnded(passed)
    }

    /// Answers the client's message.
    mutating func messageEnded(_ reply: SubmissionReply) {
        self.running = .nothing
        self.reply(reply)
        if self.endsAfterVerdict { self.end(.closing) }
    }

    /// The server answered MAIL or RCPT: sends the next RCPT, or DATA after the last one.
    private mutating func envelopeReplyReceived(
        _ reply: ServerReply,
        receiving: Receiving,
        recipientsSent: Int
    ) {
        self.upstream?.isDirty = true
        guard reply.isAcceptance, let recipients = self.transaction?.recipients else {
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
