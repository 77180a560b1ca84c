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
extension ClientSession {
    /// Messages of one COPY inside an account: as many UIDs as fit into a command's line.
    private static let messagesPerCopy = 300

    private func appendsMany(_ transferring: Transferring) -> Bool {
        if transferring.plan.isLocal {
            return transferring.progress.sending.count < Self.messagesPerCopy
        }
        return self.upstreams[transferring.plan.target]?.profile.has("MULTIAPPEND") ?? false
    }

    /// Asks for the next message, or completes the command at the target behind the last.
    mutating func fetchNext(_ transferring: Transferring) {
        guard transferring.progress.index < transferring.listing.messages.count else {
            let isOpen =
                transferring.plan.isLocal
                ? !transferring.progress.sending.isEmpty : transferring.progress.isAppendOpen
            return isOpen ? self.completeAppend(transferring) : self.allConfirmed(transferring)
        }
        let uid = transferring.listing.messages[transferring.progress.index].uid
        transferring.step = .fetching
        self.sendToSource(transferring) { encoder in
            encoder.write(word: "UID FETCH")
            encoder.write(number: UInt64(uid))
            encoder.write(word: "(UID BODY.PEEK[])")
        }
    }

    /// The first piece of a FETCH response while a message is awaited.
    /// - Returns: whether it is that message, and not news of another.
    mutating func transferReceives(
        _ transferring: Transferring,
        piece: ResponseReader.Piece
    ) throws(SyntaxError) -> Bool {
        switch transferring.step {
        case .fetching, .fetched, .draining: break
        default: return false
        }
        let fetched = try FetchResponse(piece.octets)
        guard fetched.hasBody else { return false }
        guard case .fetching = transferring.step else { return true }
        let expected = transferring.listing.messages[transferring.progress.index].uid
        guard fetched.uid.map({ $0 == expected }) ?? true else {
            throw SyntaxError(.malformedNumber, at: 0)
        }
        guard !transferring.plan.isLocal else {
            self.digest(transferring, fetched: fetched)
            return true
        }
        // Nothing is no message: to a target it would even mean to forget the others (RFC 3502 §3).
        let octets = fetched.announced ?? UInt64(fetched.body?.readableBytes ?? 0)
        guard octets > 0 else {
            if transferring.progress.isAppendOpen { self.drop(transferring.plan.target) }
            transferring.progress.isAppendOpen = false
            transferring.step = .draining(.refusedByServer(nil))
            return true
        }
        transferring.progress.quoted = fetched.announced == nil ? fetched.body : nil
        self.announce(transferring, octets: octets)
        return true
    }

    /// The octets of a message that its server copies pass through the digest, and nowhere else.
    private func digest(_ transferring: Transferring, fetched: FetchResponse) {
        transferring.progress.hasher = MessageHasher()
        transferring.step = fetched.announced == nil ? .fetched : .streaming
        if let body = fetched.body { transferring.progress.hasher.update(body) }
    }

    private mutating func announce(_ transferring: Transferring, octets: UInt64) {
        let message = transferring.listing.messages[transferring.progress.index]
        let flags = transferring.flags(of: message)
        guard let profile = self.upstreams[transferring.plan.target]?.profile else {
            transferring.step = .draining(.unavailable)
            return
        }
        var encoder: CommandEncoder
        if transferring.progress.isAppendOpen {
            encoder = CommandEncoder(continuing: profile.literals)
        } else {
            encoder = self.encoder(for: transferring.plan.target)
            encoder.write(word: "APPEND")
            encoder.write(mailbox: transferring.plan.targetName)
        }
        encoder.write(flags: flags, date: message.date, octets: octets)
        transferring.progress.isAppendOpen = true
        transferring.progress.hasher = MessageHasher()
        transferring.step = .announcing
        transferring.segments = encoder.finishWithoutLineEnd()
        transferring.segmentsAccount = transferring.plan.target
        self.sendAnnouncement(transferring)
    }

    /// Sends the next segment of what leads to the message; behind the last one of a server that
    /// needs no `+` the message follows.
    private mutating func sendAnnouncement(_ transferring: Transferring) {
        guard !transferring.segments.isEmpty else { return self.stream(transferring) }
        self.actions.append(
            .toUpstream(transferring.plan.target, transferring.segments.removeFirst())
        )
        let literals = self.upstreams[transferring.plan.target]?.profile.literals
        if transferring.segments.isEmpty, literals == .nonSynchronizing {
            self.stream(transferring)
        }
    }

    private mutating func stream(_ transferring: Transferring) {
        transferring.step = .streaming
        if let quoted = transferring.progress.quoted {
            transferring.progress.quoted = nil
            transferring.progress.hasher.update(quoted)
            self.actions.append(.toUpstream(transferring.plan.target, quoted))
            transferring.step = .fetched
        }
    }

    /// The target, or the source, is ready for the next segment.
    mutating func transferContinued(
        _ transferring: Transferring,
        account: AccountID
    ) throws(SyntaxError) {
        if account == transferring.plan.target, case .announcing = transferring.step {
            self.sendAnnouncement(transferring)
            if !transferring.isSourcePaused { self.readUpstream(transferring.plan.source) }
            return
        }
        guard !transferring.segments.isEmpty, account == transferring.segmentsAccount else {
            throw SyntaxError(.expected("no continuation"), at: 0)
        }
        self.actions.append(.toUpstream(account, transferring.segments.removeFirst()))
    }

    /// A piece of the response that holds the message.
    mutating func transferPieceReceived(
        _ transferring: Transferring,
        piece: ResponseReader.Piece
    ) {
        guard case .streaming = transferring.step else { return }
        if piece.kind == .literal {
            transferring.progress.hasher.update(piece.octets)
            guard !transferring.plan.isLocal else { return }
            self.actions.append(.toUpstream(transferring.plan.target, piece.octets))
        } else if !piece.isFirst {
            // The literal is over; what stands behind it was not asked for.
            transferring.step = .fetched
        }
    }

    /// The source has completed its answer for one message.
    mutating func messageFetched(
        _ transferring: Transferring,
        condition: Condition,
        code: ResponseCode?
    ) {
        guard condition == .ok else {
            self.leaveAppend(transferring)
            return self.fail(transferring, answer: self.refusal(condition, code: code))
        }
        guard case .fetched = transferring.step else {
            // Somebody expunged it meanwhile: as with any COPY, it is left out.
            transferring.listing.messages.remove(at: transferring.progress.index)
            return self.fetchNext(transferring)
        }
        transferring.messagePassed()
        self.appendsMany(transferring)
            ? self.fetchNext(transferring) : self.completeAppend(transferring)
    }

    /// The command at the target lacks its end: the journal gets what was sent before the target
    /// can store it, so that nobody ever has to guess what that was.
    private mutating func completeAppend(_ transferring: Transferring) {
        guard let entry = transferring.journal.entry else {
            self.leaveAppend(transferring)
            return self.fail(transferring, answer: .unavailable)
        }
        transferring.progress.isAppendOpen = false
        transferring.step = .recordingAppend
        self.actions.append(.journal(.append(entry, transferring.recordAppend())))
    }

    /// The journal has what was sent, or could not be written: the target stores what it has got, or
    /// never gets the end of it.
    mutating func appendRecorded(_ succeeded: Bool) {
        guard case .transferring(let transferring) = self.running,
            case .recordingAppend = transferring.step
        else { return }
        if !succeeded { transferring.appendNotRecorded() }
        guard succeeded, transferring.journal.lostAnswer == nil else {
            self.leaveAppend(transferring)
            return self.fail(transferring, answer: transferring.journal.lostAnswer ?? .unavailable)
        }
        transferring.completeAppend()
        transferring.step = .confirming
        guard !transferring.plan.isLocal else { return self.copySent(transferring) }
        self.actions.append(.toUpstream(transferring.plan.target, ByteBuffer(string: "\r\n")))
    }

    /// Lets the server copy the messages whose digests the journal has.
    private mutating func copySent(_ transferring: Transferring) {
        let set = SequenceSet(uids: transferring.progress.sent)
        self.sendToSource(transferring) { encoder in
            encoder.write(word: "UID COPY")
            set.encode(into: &encoder)
            encoder.write(mailbox: transferring.plan.targetName)
        }
    }

    /// Gives up a command at the target that lacks its end. Inside one account there is none.
    private mutating func leaveAppend(_ transferring: Transferring) {
        if !transferring.plan.isLocal { self.drop(transferring.plan.target) }
    }

    /// The target has answered an APPEND: at its end, or before, because it takes no more.
    mutating func appendAnswered(
        _ transferring: Transferring,
        condition: Condition,
        code: ResponseCode?
    ) {
        let refusal = self.targetRefusal(transferring, condition: condition, code: code)
        switch transferring.step {
        case .confirming:
            guard condition == .ok else {
                transferring.refuse()
                return self.fail(transferring, answer: refusal)
            }
            transferring.confirm(code)
            guard !transferring.progress.isCopyDoubtful else {
                return self.resolve(transferring, answer: .unavailable)
            }
            self.fetchNext(transferring)
        case .announcing:
            transferring.progress.isAppendOpen = false
            transferring.step = .draining(condition == .ok ? .unavailable : refusal)
            self.readUpstream(transferring.plan.source)
        case .recordingAppend:
            self.drop(transferring.plan.target)
            transferring.journal.lostAnswer = condition == .ok ? .unavailable : refusal
        case .fetching, .streaming, .fetched:
            // The rest of the command would be read as another one: the connection is of no use.
            self.drop(transferring.plan.target)
            transferring.progress.isAppendOpen = false
            transferring.step = .draining(condition == .ok ? .unavailable : refusal)
            self.readUpstream(transferring.plan.source)
        default:
            break
        }
    }
}
