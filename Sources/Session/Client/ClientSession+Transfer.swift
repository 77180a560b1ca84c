package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// COPY and MOVE to another account: how they begin, and what may happen in between. Each message's
/// way is in `ClientSession+TransferMessages`, the journal and the end in
/// `ClientSession+TransferEnd`.
extension ClientSession {
    /// Whether messages pass between two servers: the session is not idle, however silent its
    /// client is.
    package var isTransferring: Bool {
        if case .transferring = self.running { return true }
        return false
    }

    /// The account whose server has to take what this one's sends, if messages pass from it.
    package func transferDestination(from account: AccountID) -> AccountID? {
        guard case .transferring(let transferring) = self.running,
            transferring.source == account, !transferring.isLocal
        else { return nil }
        return transferring.target
    }

    /// Whether the next octets of this account's server are wanted now.
    package func wantsOctets(from account: AccountID) -> Bool {
        guard !(self.upstreams[account]?.isReadDeferred ?? false) else { return false }
        guard case .transferring(let transferring) = self.running else { return true }
        return transferring.source != account || !transferring.isSourcePaused
    }

    // MARK: - The beginning

    /// Selects the target's mailbox, at a server that is ready; rights were looked at. Inside one account the
    /// source stays selected.
    mutating func transfer(_ transferring: Transferring) {
        self.running = .transferring(transferring)
        self.actions.append(.reportLater)
        guard !transferring.isLocal else { return self.askUIDNext(transferring) }
        self.sendToTarget(transferring) { encoder in
            encoder.write(word: "SELECT")
            encoder.write(mailbox: transferring.targetName)
        }
    }

    /// What the target says of the mailbox that is being selected.
    mutating func transferStatusReceived(_ transferring: Transferring, code: ResponseCode) {
        guard case .selectingTarget = transferring.step else { return }
        switch code {
        case .uidValidity(let value): transferring.uidValidity = value
        case .uidNext(let value): transferring.uidNext = value
        case .permanentFlags(let flags):
            transferring.permanentFlags = Set(flags.map { $0.uppercasedText() })
        default: break
        }
    }

    private mutating func targetSelected(
        _ transferring: Transferring,
        condition: Condition,
        code: ResponseCode?
    ) {
        guard condition == .ok else {
            let refusal = self.targetRefusal(transferring, condition: condition, code: code)
            guard condition == .no, code == nil || code == .unknown || code == .alert else {
                return self.conclude(transferring, answer: refusal)
            }
            transferring.step = .lookingForTarget(refusal)
            return self.sendToTarget(transferring) { encoder in
                encoder.write(word: "LIST \"\"")
                encoder.write(mailbox: transferring.targetName)
            }
        }
        if case .readOnly? = code { return self.conclude(transferring, answer: .notPermitted) }
        // Courier tells UIDNEXT in STATUS alone.
        if case .selectingTarget = transferring.step, transferring.uidNext == nil {
            return self.askUIDNext(transferring)
        }
        // Without these nobody can tell, should it be interrupted, what it has copied.
        guard transferring.uidValidity != nil, transferring.uidNext != nil,
            transferring.sourceValidity > 0
        else { return self.conclude(transferring, answer: .cannotOnThisServer) }
        self.silenceSource(transferring)
    }

    private mutating func askUIDNext(_ transferring: Transferring) {
        transferring.step = .askingUIDNext
        let name = transferring.targetName
        let status = Status(
            mailbox: ClientMailbox(wire: name),
            items: transferring.isLocal ? [.uidNext, .uidValidity] : [.uidNext]
        )
        self.sendToTarget(transferring) { status.encode(into: &$0, mailbox: name) }
    }

    /// A server that was asked by NOTIFY to tell of a message that comes may do so in the words in which it
    /// answers here, and nobody could tell one from the other: until the transfer is over it tells no more
    /// than that there is one (RFC 5465 §5.2).
    private mutating func silenceSource(_ transferring: Transferring) {
        guard let upstream = self.upstreams[transferring.source],
            upstream.watched.contains(where: { !$0.attributes.isEmpty })
        else { return self.listSource(transferring) }
        for index in upstream.watched.indices { upstream.watched[index].attributes = [] }
        let notify = Notify(sendsStatus: false, groups: upstream.watched)
        transferring.step = .silencing
        self.sendToSource(transferring) { notify.encode(into: &$0) }
    }

    private mutating func listSource(_ transferring: Transferring) {
        transferring.step = .listing
        self.sendToSource(transferring) { encoder in
            if transferring.copy.isUID { encoder.write(word: "UID") }
            encoder.write(word: "FETCH")
            transferring.copy.set.encode(into: &encoder)
            encoder.write(word: "(UID FLAGS INTERNALDATE)")
        }
    }

    /// A refusal by the target. Where the mailbox is not there, the client may be told to make it.
    func targetRefusal(
        _ transferring: Transferring,
        condition: Condition,
        code: ResponseCode?
    ) -> ReplyText {
        switch code {
        case .nonExistent, .tryCreate:
            transferring.mayCreate ? .tryCreate : .noSuchMailbox
        default:
            self.refusal(condition, code: code)
        }
    }

    /// What LIST tells of the target's mailbox: Dovecot refuses to select one that is not there
    /// without a code, and clients make it only where they are told to (RFC 9051 §6.4.7).
    mutating func targetListed(_ transferring: Transferring, list: ListResponse) {
        guard list.mailbox == transferring.targetName else { return }
        transferring.isTargetListed = !list.attributes.contains { attribute in
            attribute.equals(word: "\\NonExistent") || attribute.equals(word: "\\Noselect")
        }
    }

    private mutating func targetSought(_ transferring: Transferring, refusal: ReplyText) {
        guard !transferring.isTargetListed else {
            return self.conclude(transferring, answer: refusal)
        }
        self.conclude(transferring, answer: transferring.mayCreate ? .tryCreate : .noSuchMailbox)
    }

    /// What the source says of a message, before any is asked for: one of those that are meant, or
    /// news of another.
    mutating func transferListed(
        _ transferring: Transferring,
        response: ByteBuffer
    ) throws(SyntaxError) {
        let fetched = try FetchResponse(response)
        guard let uid = fetched.uid, let flags = fetched.flags, let date = fetched.internalDate
        else {
            transferring.addPart(of: fetched)
            return self.emit(response)
        }
        guard DateTime(date) != nil else {
            throw SyntaxError(.expected("date-time"), at: 0)
        }
        transferring.add(fetched.number, uid: uid, flags: flags, date: date)
    }

    private mutating func sourceListed(
        _ transferring: Transferring,
        condition: Condition,
        code: ResponseCode?
    ) {
        guard condition == .ok else {
            return self.conclude(transferring, answer: self.refusal(condition, code: code))
        }
        guard transferring.messages.count <= Transferring.maximumMessages,
            !transferring.hasTooManyKeywords
        else {
            return self.conclude(transferring, answer: .tooManyMessages)
        }
        guard !transferring.lacksMessages else {
            return self.conclude(transferring, answer: .answerUnreadable)
        }
        guard !transferring.messages.isEmpty, let record = transferring.record else {
            return self.conclude(transferring, answer: self.transferCompleted(transferring))
        }
        transferring.step = .recording
        self.actions.append(.journal(.record(record)))
    }

    // MARK: - What happens in between

    /// A command of the transfer is answered.
    mutating func transferAnswered(
        _ transferring: Transferring,
        by account: AccountID,
        condition: Condition,
        code: ResponseCode?
    ) {
        if account == transferring.target, !transferring.isLocal || transferring.isTargetAsked {
            return self.targetAnswered(transferring, condition: condition, code: code)
        }
        switch transferring.step {
        case .silencing:
            guard condition == .ok else {
                return self.conclude(transferring, answer: self.refusal(condition, code: code))
            }
            self.listSource(transferring)
        case .listing:
            self.sourceListed(transferring, condition: condition, code: code)
        case .fetching, .fetched:
            self.messageFetched(transferring, condition: condition, code: code)
        case .draining(let answer):
            self.fail(transferring, answer: answer)
        case .marking:
            self.sourceMarked(transferring, condition: condition, code: code)
        case .unmarking(let answer):
            // Where they stay marked, the move has to go on: the copies are all there are.
            guard condition == .ok else { return self.resolve(transferring, answer: answer) }
            self.unmarkNext(transferring, answer: answer)
        case .expunging:
            guard condition == .ok else {
                return self.conclude(transferring, answer: .movedWithMarks)
            }
            self.expungeNext(transferring)
        default:
            break
        }
    }

    private mutating func targetAnswered(
        _ transferring: Transferring,
        condition: Condition,
        code: ResponseCode?
    ) {
        switch transferring.step {
        case .selectingTarget, .askingUIDNext:
            self.targetSelected(transferring, condition: condition, code: code)
        case .lookingForTarget(let refusal):
            self.targetSought(transferring, refusal: refusal)
        default:
            self.appendAnswered(transferring, condition: condition, code: code)
        }
    }

    /// The time for a word to the client, so that a large move neither times out nor looks dead
    /// (RFC 9585).
    package mutating func reportDue(at now: Moment) {
        self.now = now
        guard case .transferring(let transferring) = self.running else { return }
        self.actions.append(.reportLater)
        self.emit(
            Reply.progress(
                tag: transferring.tag,
                done: min(transferring.index, max(transferring.messages.count - 1, 0)),
                of: transferring.messages.count
            )
        )
    }

    /// One of the two servers is lost.
    mutating func transferUpstreamLost(
        _ transferring: Transferring,
        account: AccountID,
        answer: ReplyText
    ) {
        switch transferring.step {
        case .marking, .unmarking, .expunging:
            // The target is not needed any more; the source's part is done by other means.
            guard account == transferring.source else { return }
            self.resolve(transferring, answer: answer)
        case .recording:
            // The journal answers first.
            transferring.lostAnswer = answer
        case .recordingAppend:
            // An incomplete command stores nothing; the journal answers first.
            self.drop(transferring.target)
            transferring.lostAnswer = answer
        case .recordingCopied, .forgetting, .resolving:
            // What the journal answers leads on.
            break
        case .draining(let first):
            if account == transferring.source { self.fail(transferring, answer: first) }
        case .silencing, .listing, .fetching, .announcing, .streaming, .fetched:
            if account == transferring.source {
                // An incomplete command stores nothing.
                self.drop(transferring.target)
                return self.fail(transferring, answer: answer)
            }
            transferring.step = .draining(answer)
            self.readUpstream(transferring.source)
        case .selectingTarget, .askingUIDNext, .lookingForTarget, .confirming:
            if account == transferring.source { self.drop(transferring.target) }
            self.fail(transferring, answer: answer)
        }
    }

    /// A transfer whose target takes no more messages of this user is cut, and is taken back.
    mutating func checkTransferring() -> AccountID? {
        guard case .transferring(let transferring) = self.running, !transferring.isCopied else {
            return nil
        }
        let rights = self.rights(in: transferring.targetFolder, of: transferring.target)
        transferring.rights = rights
        return rights.contains([.insert, .lookup]) ? nil : transferring.target
    }

    /// The client's connection ends: what the journal has is brought to its end without it.
    mutating func abandonTransfer() {
        guard case .transferring(let transferring) = self.running, let entry = transferring.entry
        else { return }
        switch transferring.step {
        case .forgetting, .resolving:
            break
        case .recordingCopied:
            // Either state of the entry leads to a good end.
            self.actions.append(.journal(.resolve(entry, nil)))
        case .confirming:
            self.leaveConfirming(transferring, entry: entry)
        default:
            let standing = transferring.standing
            self.actions.append(
                .journal(transferring.needsResolution ? .resolve(entry, standing) : .forget(entry))
            )
        }
    }

    /// The target has got a whole command and stores it, be its connection closed or not: it is
    /// left only when it has answered, because a look before that finds nothing.
    private mutating func leaveConfirming(_ transferring: Transferring, entry: Int64) {
        var encoder = self.encoder(for: transferring.target)
        encoder.write(word: "LOGOUT")
        for segment in encoder.finish() {
            self.actions.append(.toUpstream(transferring.target, segment))
        }
        self.upstreams[transferring.target] = nil
        self.actions.append(
            .leaveUpstream(transferring.target, then: .resolve(entry, transferring.standing))
        )
    }

    // MARK: - Commands

    mutating func sendToTarget(
        _ transferring: Transferring,
        write: (inout CommandEncoder) -> Void
    ) {
        var encoder = self.encoder(for: transferring.target)
        write(&encoder)
        self.send(encoder.finish(), to: transferring.target, transferring: transferring)
    }

    mutating func sendToSource(
        _ transferring: Transferring,
        write: (inout CommandEncoder) -> Void
    ) {
        var encoder = self.encoder(for: transferring.source)
        write(&encoder)
        self.send(encoder.finish(), to: transferring.source, transferring: transferring)
    }

    private mutating func send(
        _ segments: [ByteBuffer],
        to account: AccountID,
        transferring: Transferring
    ) {
        transferring.segments = segments
        transferring.segmentsAccount = account
        guard !segments.isEmpty else { return }
        self.actions.append(.toUpstream(account, transferring.segments.removeFirst()))
    }
}
