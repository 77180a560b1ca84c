import Access
import SMTP

import struct NIOCore.ByteBuffer

/// Commands that are sent before the server has answered the earlier ones (RFC 2920), and the server's replies.
///
/// A command is sent ahead only if the client has sent it, the gateway itself does not refuse it, and the server
/// offers PIPELINING. Every other command waits, so that the client gets its replies in order.
extension SubmissionSession {
    // MARK: - To the server

    /// Sends the client's next command while replies to earlier ones are due.
    ///
    /// - Returns: whether a command was sent. Otherwise the next one stays in the input.
    mutating func sendAhead() -> Bool {
        guard self.pipelined.takesCommand, self.discardedOctets == 0,
            self.upstream?.profile?.has("PIPELINING") ?? false
        else { return false }
        var rest = self.input
        var discarded = 0
        do {
            guard let line = try CommandLine.next(&rest, discarded: &discarded) else {
                if discarded > 0 { self.pipelined.waitForReplies() }
                return false
            }
            if self.sendAhead(try SubmissionCommand(line: line)) {
                self.input = rest
                return true
            }
        } catch {
            // The error is reported when its turn comes.
        }
        self.pipelined.waitForReplies()
        return false
    }

    private mutating func sendAhead(_ command: SubmissionCommand) -> Bool {
        switch command {
        case .rcpt(let recipient): self.sendAhead(recipient)
        case .data: self.sendDataAhead()
        default: false
        }
    }

    /// Sends RCPT, if ``rcpt(_:)`` would send it now. Recipients whose reply is due count against the limit of a
    /// message as if the server had accepted them.
    private mutating func sendAhead(_ recipient: Recipient) -> Bool {
        let line = Self.encoded(recipient)
        guard let transaction = self.transaction, let user = self.user, self.forbidden == nil,
            transaction.mail.isInternational || !recipient.path.isInternational,
            transaction.recipients.count + self.pipelined.recipients
                < self.counter.limits.recipientsPerMessage,
            !recipient.usesDSN || self.upstream?.profile?.has("DSN") ?? false,
            PipelinedCommands.mayFollow(octets: line.readableBytes),
            self.counter.addRecipient(user, at: self.now)
        else { return false }
        self.sendAwaited(.rcpt(recipient, countedAt: self.now), line: line)
        return true
    }

    /// Sends DATA, if a recipient is accepted or may be. The message follows only after the permission check of its
    /// header. If that check fails, the connection is closed, and the server discards the transaction (RFC 5321
    /// §3.8). Once this has happened, DATA waits for the check in this session: each refused message would cost the
    /// server a connection.
    private mutating func sendDataAhead() -> Bool {
        guard self.sendsDataAhead, let transaction = self.transaction, self.forbidden == nil,
            !transaction.recipients.isEmpty || self.pipelined.recipients > 0
        else { return false }
        self.sendAwaited(.data, line: ByteBuffer(staticString: "DATA\r\n"))
        return true
    }

    /// Sends a command of the transaction and waits for its reply.
    mutating func sendAwaited(_ command: PipelinedCommands.Command, line: ByteBuffer) {
        self.running = .awaiting(.commands)
        self.pipelined.append(command, octets: line.readableBytes)
        self.actions.append(.toUpstream(line))
    }

    // MARK: - Replies of the server

    /// Acts on the reply to the oldest command that waits.
    mutating func commandAnswered(_ reply: ServerReply) {
        let command = self.pipelined.removeFirst()
        if self.pipelined.isEmpty { self.running = .nothing }
        switch command {
        case .mail: self.mailAnswered(reply)
        case .rcpt(let recipient, let time):
            self.rcptAnswered(reply, recipient: recipient, countedAt: time)
        case .data: self.dataAnsweredWithoutMessage(reply)
        case .none: self.dropUpstream()
        }
        if self.upstream == nil { return self.answerPipelined() }
        if self.pipelined.isAtData, !(self.transaction?.recipients.isEmpty ?? true) {
            self.beginMessageAhead()
        }
    }

    private mutating func mailAnswered(_ reply: ServerReply) {
        // RSET makes sure that commands behind a refused MAIL leave nothing at the server.
        self.upstream?.isDirty = reply.isAcceptance || !self.pipelined.isEmpty
        if !reply.isAcceptance { self.transaction = nil }
        self.reply(self.passed(reply, expectsSuccess: true))
    }

    private mutating func rcptAnswered(
        _ reply: ServerReply,
        recipient: Recipient,
        countedAt time: Moment
    ) {
        self.checkTransaction()
        guard self.transaction != nil else {
            self.removeRecipient(countedAt: time)
            return self.answerWithoutTransaction(reply)
        }
        if reply.isAcceptance { self.transaction?.recipients.append(recipient) }
        self.reply(self.passed(reply, expectsSuccess: true))
    }

    /// The server answered DATA that no message can follow: the transaction has ended, or no recipient was accepted.
    ///
    /// After 354 the server waits for a message. RFC 2920 §3.1 lets a client send a lone dot, which some servers take
    /// for an empty message; the gateway closes the connection, so that nothing is sent.
    private mutating func dataAnsweredWithoutMessage(_ reply: ServerReply) {
        if !reply.isRefusal { self.sendsDataAhead = false }
        guard self.transaction != nil else { return self.answerWithoutTransaction(reply) }
        if !reply.isRefusal {
            self.dropUpstream()
            self.transaction = nil
            self.brokenReply = .unavailable
        }
        self.reply(.noRecipients)
    }

    /// Answers a command that was sent ahead and whose transaction has ended, as if it had not been sent: it is an
    /// error of the client, and the server, which counts errors, too, gets no more of them than the gateway. If the
    /// server did not refuse it, the server's state is unknown, and the connection is closed.
    private mutating func answerWithoutTransaction(_ reply: ServerReply) {
        if !reply.isRefusal { self.dropUpstream() }
        self.refuse(self.brokenReply ?? .noSender)
    }

    /// DATA was sent ahead, and a recipient was accepted: reads the message while the server's reply is due.
    private mutating func beginMessageAhead() {
        _ = self.pipelined.removeFirst()
        let receiving = Receiving(.dotted)
        receiving.dataAhead = .awaited
        self.running = .receiving(receiving)
        self.reply(.startMessage)
    }

    // MARK: - A lost connection

    /// The connection is lost while commands wait. The oldest one fails; the others get the reply that they would
    /// get had they not been sent.
    mutating func pipelinedLost(_ reply: SubmissionReply) {
        _ = self.pipelined.removeFirst()
        if self.transaction != nil {
            self.fail(reply)
        } else {
            self.refuse(self.brokenReply ?? .noSender)
        }
        self.answerPipelined()
    }

    /// Answers all commands that wait, because their transaction has ended and the server will not answer.
    private mutating func answerPipelined() {
        while let command = self.pipelined.removeFirst() {
            if case .rcpt(_, let time) = command { self.removeRecipient(countedAt: time) }
            self.refuse(self.brokenReply ?? .noSender)
        }
        if case .awaiting = self.running { self.running = .nothing }
    }

    /// A recipient does not count if its transaction had ended when the server's reply to RCPT was due.
    private func removeRecipient(countedAt time: Moment) {
        guard let user = self.user else { return }
        self.counter.removeRecipient(user, countedAt: time, at: self.now)
    }
}
