import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Each message of a COPY or MOVE between accounts: asked for at the source, announced to the
/// target as soon as its size is known, and passed on.
///
/// All go in one APPEND where the target has MULTIAPPEND (RFC 3502), and are then stored together
/// or not at all; elsewhere each has its own.
///
/// Inside one account the server copies: the messages are read for their digests alone, which the journal
/// needs, should the answer to COPY be missing, to tell the copies from what else came there.
extension Transferring {
    /// Messages of one COPY inside an account: as many UIDs as fit into a command's line.
    private static let messagesPerCopy = 300

    private func appendsMany(in context: inout some CommandContext) -> Bool {
        if self.plan.isLocal {
            return self.progress.sending.count < Self.messagesPerCopy
        }
        return context.upstream(of: self.plan.target)?.profile.has("MULTIAPPEND") ?? false
    }

    /// Asks for the next message, or completes the command at the target behind the last.
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

    /// The first piece of a FETCH response while a message is awaited.
    /// - Returns: whether it is that message, and not news of another.
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
        // Nothing is no message: to a target it would even mean to forget the others (RFC 3502 §3).
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

    /// The octets of a message that its server copies pass through the digest, and nowhere else.
    private func digest(_ fetched: FetchResponse) {
        self.progress.hasher = MessageHasher()
        self.step = fetched.announced == nil ? .fetched : .streaming
        if let body = fetched.body { self.progress.hasher.update(body) }
    }

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

    /// Sends the next segment of what leads to the message; behind the last one of a server that
    /// needs no `+` the message follows.
    private func sendAnnouncement(in context: inout some CommandContext) {
        guard !self.segments.isEmpty else { return self.stream(in: &context) }
        context.send(self.segments.removeFirst(), to: self.plan.target)
        let literals = context.upstream(of: self.plan.target)?.profile.literals
        if self.segments.isEmpty, literals == .nonSynchronizing {
            self.stream(in: &context)
        }
    }

    private func stream(in context: inout some CommandContext) {
        self.step = .streaming
        if let quoted = self.progress.quoted {
            self.progress.quoted = nil
            self.progress.hasher.update(quoted)
            context.send(quoted, to: self.plan.target)
            self.step = .fetched
        }
    }

    /// The target, or the source, is ready for the next segment.
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

    /// A piece of the response that holds the message.
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
            // The literal is over; what stands behind it was not asked for.
            self.step = .fetched
        }
    }

    /// The source has completed its answer for one message.
    func messageFetched(
        _ completion: Completion,
        in context: inout some CommandContext
    ) {
        guard completion.condition == .ok else {
            self.leaveAppend(in: &context)
            return self.fail(answer: context.refusal(completion), in: &context)
        }
        guard case .fetched = self.step else {
            // Somebody expunged it meanwhile: as with any COPY, it is left out.
            self.listing.messages.remove(at: self.progress.index)
            return self.fetchNext(in: &context)
        }
        self.messagePassed()
        self.appendsMany(in: &context)
            ? self.fetchNext(in: &context) : self.finishAppend(in: &context)
    }

    /// The command at the target lacks its end: the journal gets what was sent before the target
    /// can store it, so that nobody ever has to guess what that was.
    private func finishAppend(in context: inout some CommandContext) {
        guard let entry = self.journal.entry else {
            self.leaveAppend(in: &context)
            return self.fail(answer: .unavailable, in: &context)
        }
        self.progress.isAppendOpen = false
        self.step = .recordingAppend
        context.perform(.journal(.append(entry, self.recordAppend())))
    }

    /// The journal has what was sent, or could not be written: the target stores what it has got, or
    /// never gets the end of it.
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

    /// Lets the server copy the messages whose digests the journal has.
    private func copySent(in context: inout some CommandContext) {
        let set = SequenceSet(uids: self.progress.sent)
        self.sendToSource(in: &context) { encoder in
            encoder.write(word: "UID COPY")
            set.encode(into: &encoder)
            encoder.write(mailbox: self.plan.targetName)
        }
    }

    /// Gives up a command at the target that lacks its end. Inside one account there is none.
    private func leaveAppend(in context: inout some CommandContext) {
        if !self.plan.isLocal { context.drop(self.plan.target) }
    }

    /// The target has answered an APPEND: at its end, or before, because it takes no more.
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
            self.progress.isAppendOpen = false
            self.step = .draining(condition == .ok ? .unavailable : refusal)
            context.readUpstream(self.plan.source)
        case .recordingAppend:
            context.drop(self.plan.target)
            self.journal.lostAnswer = condition == .ok ? .unavailable : refusal
        case .fetching, .streaming, .fetched:
            // The rest of the command would be read as another one: the connection is of no use.
            context.drop(self.plan.target)
            self.progress.isAppendOpen = false
            self.step = .draining(condition == .ok ? .unavailable : refusal)
            context.readUpstream(self.plan.source)
        default:
            break
        }
    }
}
