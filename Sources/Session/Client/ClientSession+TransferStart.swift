import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The beginning of a transfer between accounts: the target mailbox, and which messages there are.
extension ClientSession {
    /// Selects the target's mailbox, at a server that is ready; rights were looked at. Inside one account the
    /// source stays selected.
    mutating func transfer(_ transferring: Transferring) {
        self.running = .transferring(transferring)
        self.actions.append(.reportLater)
        guard !transferring.plan.isLocal else { return self.askUIDNext(transferring) }
        self.sendToTarget(transferring) { encoder in
            encoder.write(word: "SELECT")
            encoder.write(mailbox: transferring.plan.targetName)
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

    mutating func targetSelected(
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
                encoder.write(mailbox: transferring.plan.targetName)
            }
        }
        if case .readOnly? = code { return self.conclude(transferring, answer: .notPermitted) }
        // Courier tells UIDNEXT in STATUS alone.
        if case .selectingTarget = transferring.step, transferring.uidNext == nil {
            return self.askUIDNext(transferring)
        }
        // Without these nobody can tell, should it be interrupted, what it has copied.
        guard transferring.uidValidity != nil, transferring.uidNext != nil,
            transferring.plan.sourceValidity > 0
        else { return self.conclude(transferring, answer: .cannotOnThisServer) }
        self.silenceSource(transferring)
    }

    private mutating func askUIDNext(_ transferring: Transferring) {
        transferring.step = .askingUIDNext
        let name = transferring.plan.targetName
        let status = Status(
            mailbox: ClientMailbox(wire: name),
            items: transferring.plan.isLocal ? [.uidNext, .uidValidity] : [.uidNext]
        )
        self.sendToTarget(transferring) { status.encode(into: &$0, mailbox: name) }
    }

    /// A server that was asked by NOTIFY to tell of a message that comes may do so in the words in which it
    /// answers here, and nobody could tell one from the other: until the transfer is over it tells no more
    /// than that there is one (RFC 5465 §5.2).
    private mutating func silenceSource(_ transferring: Transferring) {
        guard let upstream = self.upstreams[transferring.plan.source],
            upstream.watched.contains(where: { !$0.attributes.isEmpty })
        else { return self.listSource(transferring) }
        for index in upstream.watched.indices { upstream.watched[index].attributes = [] }
        let notify = Notify(sendsStatus: false, groups: upstream.watched)
        transferring.step = .silencing
        self.sendToSource(transferring) { notify.encode(into: &$0) }
    }

    mutating func listSource(_ transferring: Transferring) {
        transferring.step = .listing
        self.sendToSource(transferring) { encoder in
            if transferring.plan.copy.isUID { encoder.write(word: "UID") }
            encoder.write(word: "FETCH")
            transferring.plan.copy.set.encode(into: &encoder)
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
            transferring.plan.mayCreate ? .tryCreate : .noSuchMailbox
        default:
            self.refusal(condition, code: code)
        }
    }

    /// What LIST tells of the target's mailbox: Dovecot refuses to select one that is not there
    /// without a code, and clients make it only where they are told to (RFC 9051 §6.4.7).
    mutating func targetListed(_ transferring: Transferring, list: ListResponse) {
        guard list.mailbox == transferring.plan.targetName else { return }
        transferring.isTargetListed = !list.attributes.contains { attribute in
            attribute.equals(word: "\\NonExistent") || attribute.equals(word: "\\Noselect")
        }
    }

    mutating func targetSought(_ transferring: Transferring, refusal: ReplyText) {
        guard !transferring.isTargetListed else {
            return self.conclude(transferring, answer: refusal)
        }
        self.conclude(
            transferring,
            answer: transferring.plan.mayCreate ? .tryCreate : .noSuchMailbox
        )
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
            transferring.listing.addPart(of: fetched, for: transferring.plan.copy)
            return self.emit(response)
        }
        guard DateTime(date) != nil else {
            throw SyntaxError(.expected("date-time"), at: 0)
        }
        transferring.listing.add(fetched.number, uid: uid, flags: flags, date: date)
    }

    mutating func sourceListed(
        _ transferring: Transferring,
        condition: Condition,
        code: ResponseCode?
    ) {
        guard condition == .ok else {
            return self.conclude(transferring, answer: self.refusal(condition, code: code))
        }
        guard transferring.listing.messages.count <= TransferListing.maximumMessages,
            !transferring.listing.hasTooManyKeywords
        else {
            return self.conclude(transferring, answer: .tooManyMessages)
        }
        guard !transferring.listing.lacksMessages else {
            return self.conclude(transferring, answer: .answerUnreadable)
        }
        guard !transferring.listing.messages.isEmpty, let record = transferring.record else {
            return self.conclude(transferring, answer: self.transferCompleted(transferring))
        }
        transferring.step = .recording
        self.actions.append(.journal(.record(record)))
    }
}
