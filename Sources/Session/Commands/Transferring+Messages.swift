import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The messages of a COPY or MOVE between accounts. Each one is fetched from the source, announced to the target once
/// its size is known, and streamed.
///
/// If the target has MULTIAPPEND (RFC 3502), one APPEND has all messages, and the target stores all of them or none.
/// Otherwise each message has its own APPEND.
///
/// Within one account the server copies the messages itself. They are fetched only for their digests. If the tagged
/// response to COPY is lost, the journal needs the digests to identify the copies.
extension Transferring {
    /// Messages of one COPY within an account: that many UIDs fit into one command line.
    private static let messagesPerCopy = 300

    /// Whether the current command at the target takes another message.
    private func appendsMany(in context: inout some CommandContext) -> Bool {
        if self.plan.isLocal {
            return self.progress.sending.count < Self.messagesPerCopy
        }
        return context.upstream(of: self.plan.target)?.profile.has("MULTIAPPEND") ?? false
    }

    /// Fetches the next message. After the last one, completes the command at the target.
    func fetchNext(in context: inout some CommandContext) {
        guard self.progress.index < self.listing.messages.count else {
            let isOpen =
                self.plan.isLocal
                ? !self.progress.sending.isEmpty : self.progress.isAppendOpen
            return isOpen ? self.finishAppend(in: &context) : self.allConfirmed(in: &context)
        }
        let uid = self.listing.messages[self.progress.index].uid
        self.step = .fetching
        self.sendToSource(in: &context) { encoder in
            encoder.write(word: "UID FETCH")
            encoder.write(number: UInt64(uid))
            encoder.write(word: "(UID BODY.PEEK[])")
        }
    }

    /// Takes the first piece of a FETCH response of the source.
    ///
    /// - Returns: whether the response contains the requested message. If not, it is an unsolicited update.
    /// - Throws: if the response does not parse, or contains another message.
    func receives(
        _ piece: ResponseReader.Piece,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool {
        switch self.step {
        case .fetching, .fetched, .draining: break
        default: return false
        }
        let fetched = try FetchResponse(piece.octets)
        guard fetched.hasBody else { return false }
        guard case .fetching = self.step else { return true }
        let expected = self.listing.messages[self.progress.index].uid
        guard fetched.uid.map({ $0 == expected }) ?? true else {
            throw SyntaxError(.malformedNumber, at: 0)
        }
        guard !self.plan.isLocal else {
            self.digest(fetched)
            return true
        }
        // An empty message is invalid. In a MULTIAPPEND it would even cancel the whole command (RFC 3502 §3).
        let octets = fetched.announced ?? UInt64(fetched.body?.readableBytes ?? 0)
        guard octets > 0 else {
            if self.progress.isAppendOpen { context.drop(self.plan.target) }
            self.progress.isAppendOpen = false
            self.step = .draining(.refusedByServer(nil))
            return true
        }
        self.progress.quoted = fetched.announced == nil ? fetched.body : nil
        self.announce(octets: octets, in: &context)
        return true
    }

    /// Begins to hash a message that the server itself copies.
    private func digest(_ fetched: FetchResponse) {
        self.progress.hasher = MessageHasher()
        self.step = fetched.announced == nil ? .fetched : .streaming
        if let body = fetched.body { self.progress.hasher.update(body) }
    }

    /// Sends APPEND, or the next message of an open APPEND, up to the literal.
    private func announce(octets: UInt64, in context: inout some CommandContext) {
        let message = self.listing.messages[self.progress.index]
        let flags = self.flags(of: message)
        guard let profile = context.upstream(of: self.plan.target)?.profile else {
            self.step = .draining(.unavailable)
            return
        }
        var encoder: CommandEncoder
        if self.progress.isAppendOpen {
            encoder = CommandEncoder(continuing: profile.literals)
        } else {
            encoder = context.encoder(for: self.plan.target)
            encoder.write(word: "APPEND")
            encoder.write(mailbox: self.plan.targetName)
        }
        encoder.write(flags: flags, date: message.date, octets: octets)
        self.progress.isAppendOpen = true
        self.progress.hasher = MessageHasher()
        self.step = .announcing
        self.segments = encoder.finishWithoutLineEnd()
        self.segmentsAccount = self.plan.target
        self.sendAnnouncement(in: &context)
    }

    /// Sends the next segment before the message, or begins the message after the last one. The message itself always
    /// waits for the target, which may refuse it instead.
    private func sendAnnouncement(in context: inout some CommandContext) {
        guard !self.segments.isEmpty else { return self.stream(in: &context) }
        context.send(self.segments.removeFirst(), to: self.plan.target)
    }

    /// The target is ready for the message: streams its octets.
    private func stream(in context: inout some CommandContext) {
        self.step = .streaming
        if let quoted = self.progress.quoted {
            self.progress.quoted = nil
            self.progress.hasher.update(quoted)
            context.send(quoted, to: self.plan.target)
            self.step = .fetched
        }
    }

    /// A server sent a continuation request.
    ///
    /// - Throws: if the transfer has nothing to send to that server.
    func continued(
        by account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) {
        if account == self.plan.target, case .announcing = self.step {
            self.sendAnnouncement(in: &context)
            if !self.isSourcePaused { context.readUpstream(self.plan.source) }
            return
        }
        guard !self.segments.isEmpty, account == self.segmentsAccount else {
            throw SyntaxError(.expected("no continuation"), at: 0)
        }
        context.send(self.segments.removeFirst(), to: account)
    }

    /// Takes a piece of the response that contains the message.
    func pieceReceived(
        _ piece: ResponseReader.Piece,
        in context: inout some CommandContext
    ) {
        guard case .streaming = self.step else { return }
        if piece.kind == .literal {
            self.progress.hasher.update(piece.octets)
            guard !self.plan.isLocal else { return }
            context.send(piece.octets, to: self.plan.target)
        } else if !piece.isFirst {
            // The literal has ended; further items were not requested.
            self.step = .fetched
        }
    }

    /// The source completed FETCH of one message.
    func messageFetched(
        _ completion: Completion,
        in context: inout some CommandContext
    ) {
        guard completion.condition == .ok else {
            self.leaveAppend(in: &context)
            return self.fail(answer: context.refusal(completion), in: &context)
        }
        guard case .fetched = self.step else {
            // The message was expunged in the meantime. COPY omits such messages.
            self.listing.messages.remove(at: self.progress.index)
            return self.fetchNext(in: &context)
        }
        self.messagePassed()
        self.appendsMany(in: &context)
            ? self.fetchNext(in: &context) : self.finishAppend(in: &context)
    }

    /// All messages of the command are sent, except for its last line end. The journal records them before the target
    /// can store them, so that a recovery always knows what the target may have stored.
    private func finishAppend(in context: inout some CommandContext) {
        guard let entry = self.journal.entry else {
            self.leaveAppend(in: &context)
            return self.fail(answer: .unavailable, in: &context)
        }
        self.progress.isAppendOpen = false
        self.step = .recordingAppend
        context.perform(.journal(.append(entry, self.recordAppend())))
    }

    /// The journal recorded the messages: completes the command at the target. If the journal could not be written, the
    /// target never gets the end of the command.
    func appendRecorded(_ succeeded: Bool, in context: inout some CommandContext) {
        guard case .recordingAppend = self.step else { return }
        if !succeeded { self.appendNotRecorded() }
        guard succeeded, self.journal.lostAnswer == nil else {
            self.leaveAppend(in: &context)
            return self.fail(answer: self.journal.lostAnswer ?? .unavailable, in: &context)
        }
        self.completeAppend()
        self.step = .confirming
        guard !self.plan.isLocal else { return self.copySent(in: &context) }
        context.send(ByteBuffer(string: "\r\n"), to: self.plan.target)
    }

    /// Sends UID COPY for the messages whose digests the journal has recorded.
    private func copySent(in context: inout some CommandContext) {
        let set = SequenceSet(uids: self.progress.sent)
        self.sendToSource(in: &context) { encoder in
            encoder.write(word: "UID COPY")
            set.encode(into: &encoder)
            encoder.write(mailbox: self.plan.targetName)
        }
    }

    /// Closes the target's connection within an incomplete APPEND. Within one account there is no APPEND.
    private func leaveAppend(in context: inout some CommandContext) {
        if !self.plan.isLocal { context.drop(self.plan.target) }
    }

    /// The target completed APPEND: after its end, or early, because it refuses the rest.
    func appendAnswered(
        _ completion: Completion,
        in context: inout some CommandContext
    ) {
        let condition = completion.condition
        let refusal = self.targetRefusal(completion, in: &context)
        switch self.step {
        case .confirming:
            guard condition == .ok else {
                self.refuse()
                return self.fail(answer: refusal, in: &context)
            }
            self.confirm(completion.code)
            guard !self.progress.isCopyDoubtful else {
                return self.resolve(answer: .unavailable, in: &context)
            }
            self.fetchNext(in: &context)
        case .announcing:
            // A refusal comes instead of the request for the octets. After OK, it is unclear what the target expects.
            if condition == .ok || completion.isIncomplete { context.drop(self.plan.target) }
            self.progress.isAppendOpen = false
            self.step = .draining(condition == .ok ? .unavailable : refusal)
            context.readUpstream(self.plan.source)
        case .recordingAppend:
            context.drop(self.plan.target)
            self.journal.lostAnswer = condition == .ok ? .unavailable : refusal
        case .fetching, .streaming, .fetched:
            // The server could execute the rest of the message as commands, so the connection is closed.
            context.drop(self.plan.target)
            self.progress.isAppendOpen = false
            self.step = .draining(condition == .ok ? .unavailable : refusal)
            context.readUpstream(self.plan.source)
        default:
            break
        }
    }
}
