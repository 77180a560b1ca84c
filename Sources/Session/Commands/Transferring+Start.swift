import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The beginning of a transfer between accounts: the target mailbox, and which messages there are.
extension Transferring {
    /// Selects the target's mailbox, at a server that is ready; rights were looked at. Inside one account the
    /// source stays selected.
    func begin(in context: inout some CommandContext) {
        context.perform(.reportLater)
        guard !self.plan.isLocal else { return self.askUIDNext(in: &context) }
        self.sendToTarget(in: &context) { encoder in
            encoder.write(word: "SELECT")
            encoder.write(mailbox: self.plan.targetName)
        }
    }

    /// What the target says of the mailbox that is being selected.
    func statusReceived(_ code: ResponseCode) {
        guard case .selectingTarget = self.step else { return }
        switch code {
        case .uidValidity(let value): self.uidValidity = value
        case .uidNext(let value): self.uidNext = value
        case .permanentFlags(let flags):
            self.permanentFlags = Set(flags.map { $0.uppercasedText() })
        default: break
        }
    }

    func targetSelected(
        _ completion: Completion,
        in context: inout some CommandContext
    ) {
        let (condition, code) = (completion.condition, completion.code)
        guard condition == .ok else {
            let refusal = self.targetRefusal(completion, in: &context)
            guard condition == .no, code == nil || code == .unknown || code == .alert else {
                return self.conclude(answer: refusal, in: &context)
            }
            self.step = .lookingForTarget(refusal)
            return self.sendToTarget(in: &context) { encoder in
                encoder.write(word: "LIST \"\"")
                encoder.write(mailbox: self.plan.targetName)
            }
        }
        if case .readOnly? = code { return self.conclude(answer: .notPermitted, in: &context) }
        // Courier tells UIDNEXT in STATUS alone.
        if case .selectingTarget = self.step, self.uidNext == nil {
            return self.askUIDNext(in: &context)
        }
        // Without these nobody can tell, should it be interrupted, what it has copied.
        guard self.uidValidity != nil, self.uidNext != nil,
            self.plan.sourceValidity > 0
        else { return self.conclude(answer: .cannotOnThisServer, in: &context) }
        self.silenceSource(in: &context)
    }

    private func askUIDNext(in context: inout some CommandContext) {
        self.step = .askingUIDNext
        let name = self.plan.targetName
        let status = Status(
            mailbox: ClientMailbox(wire: name),
            items: self.plan.isLocal ? [.uidNext, .uidValidity] : [.uidNext]
        )
        self.sendToTarget(in: &context) { status.encode(into: &$0, mailbox: name) }
    }

    /// A server that was asked by NOTIFY to tell of a message that comes may do so in the words in which it
    /// answers here, and nobody could tell one from the other: until the transfer is over it tells no more
    /// than that there is one (RFC 5465 §5.2).
    private func silenceSource(in context: inout some CommandContext) {
        guard let upstream = context.upstream(of: self.plan.source),
            upstream.watched.contains(where: { !$0.attributes.isEmpty })
        else { return self.listSource(in: &context) }
        for index in upstream.watched.indices { upstream.watched[index].attributes = [] }
        let notify = Notify(sendsStatus: false, groups: upstream.watched)
        self.step = .silencing
        self.sendToSource(in: &context) { notify.encode(into: &$0) }
    }

    func listSource(in context: inout some CommandContext) {
        self.step = .listing
        self.sendToSource(in: &context) { encoder in
            if self.plan.copy.isUID { encoder.write(word: "UID") }
            encoder.write(word: "FETCH")
            self.plan.copy.set.encode(into: &encoder)
            encoder.write(word: "(UID FLAGS INTERNALDATE)")
        }
    }

    /// A refusal by the target. Where the mailbox is not there, the client may be told to make it.
    func targetRefusal(
        _ completion: Completion,
        in context: inout some CommandContext
    ) -> ReplyText {
        switch completion.code {
        case .nonExistent, .tryCreate:
            self.plan.mayCreate ? .tryCreate : .noSuchMailbox
        default:
            context.refusal(completion)
        }
    }

    /// What LIST tells of the target's mailbox: Dovecot refuses to select one that is not there
    /// without a code, and clients make it only where they are told to (RFC 9051 §6.4.7).
    func targetListed(_ list: ListResponse) {
        guard list.mailbox == self.plan.targetName else { return }
        self.isTargetListed = !list.attributes.contains { attribute in
            attribute.equals(word: "\\NonExistent") || attribute.equals(word: "\\Noselect")
        }
    }

    func targetSought(refusal: ReplyText, in context: inout some CommandContext) {
        guard !self.isTargetListed else {
            return self.conclude(answer: refusal, in: &context)
        }
        self.conclude(answer: self.plan.mayCreate ? .tryCreate : .noSuchMailbox, in: &context)
    }

    /// What the source says of a message, before any is asked for: one of those that are meant, or
    /// news of another.
    func listed(
        _ response: ByteBuffer,
        in context: inout some CommandContext
    ) throws(SyntaxError) {
        let fetched = try FetchResponse(response)
        guard let uid = fetched.uid, let flags = fetched.flags, let date = fetched.internalDate
        else {
            self.listing.addPart(of: fetched, for: self.plan.copy)
            return context.emit(response)
        }
        guard DateTime(date) != nil else {
            throw SyntaxError(.expected("date-time"), at: 0)
        }
        self.listing.add(fetched.number, uid: uid, flags: flags, date: date)
    }

    func sourceListed(
        _ completion: Completion,
        in context: inout some CommandContext
    ) {
        guard completion.condition == .ok else {
            return self.conclude(answer: context.refusal(completion), in: &context)
        }
        guard self.listing.messages.count <= TransferListing.maximumMessages,
            !self.listing.hasTooManyKeywords
        else {
            return self.conclude(answer: .tooManyMessages, in: &context)
        }
        guard !self.listing.lacksMessages else {
            return self.conclude(answer: .answerUnreadable, in: &context)
        }
        guard !self.listing.messages.isEmpty, let record = self.record else {
            return self.conclude(answer: self.completedText, in: &context)
        }
        self.step = .recording
        context.perform(.journal(.record(record)))
    }
}
