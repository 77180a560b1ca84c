import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The beginning of a transfer: the properties of the target mailbox and the list of messages.
extension Transferring {
    /// Selects the target mailbox. The caller has checked the rights, and the target's server is ready. Within one
    /// account the source stays selected, so STATUS is used instead.
    func begin(in context: inout some CommandContext) {
        context.perform(.reportLater)
        guard !self.plan.isLocal else { return self.askUIDNext(in: &context) }
        self.sendToTarget(in: &context) { encoder in
            encoder.write(word: "SELECT")
            encoder.write(mailbox: self.plan.targetName)
        }
    }

    /// Takes a response code of the target's SELECT.
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

    /// The target completed SELECT or STATUS. A transfer needs UIDVALIDITY of both mailboxes and UIDNEXT of the target.
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
        // Courier reports UIDNEXT only in STATUS.
        if case .selectingTarget = self.step, self.uidNext == nil {
            return self.askUIDNext(in: &context)
        }
        // Without these values, a recovery could not identify the copies of an interrupted transfer.
        guard self.uidValidity != nil, self.uidNext != nil,
            self.plan.sourceValidity > 0
        else { return self.conclude(answer: .cannotOnThisServer, in: &context) }
        self.silenceSource(in: &context)
    }

    /// Sends STATUS of the target mailbox.
    private func askUIDNext(in context: inout some CommandContext) {
        self.step = .askingUIDNext
        let name = self.plan.targetName
        let status = Status(
            mailbox: ClientMailbox(wire: name),
            items: self.plan.isLocal ? [.uidNext, .uidValidity] : [.uidNext]
        )
        self.sendToTarget(in: &context) { status.encode(into: &$0, mailbox: name) }
    }

    /// Stops message items in notifications of the source. A NOTIFY with FETCH items makes the server push FETCH
    /// responses for new messages, which look like answers to the transfer's FETCH. Until the transfer ends, the
    /// server reports only that a message has arrived (RFC 5465 §5.2).
    private func silenceSource(in context: inout some CommandContext) {
        guard let upstream = context.upstream(of: self.plan.source),
            upstream.watched.contains(where: { !$0.attributes.isEmpty })
        else { return self.listSource(in: &context) }
        for index in upstream.watched.indices { upstream.watched[index].attributes = [] }
        let notify = Notify(sendsStatus: false, groups: upstream.watched)
        self.step = .silencing
        self.sendToSource(in: &context) { notify.encode(into: &$0) }
    }

    /// Asks the source for the UID, flags and date of each message.
    func listSource(in context: inout some CommandContext) {
        self.step = .listing
        self.sendToSource(in: &context) { encoder in
            if self.plan.copy.isUID { encoder.write(word: "UID") }
            encoder.write(word: "FETCH")
            self.plan.copy.set.encode(into: &encoder)
            encoder.write(word: "(UID FLAGS INTERNALDATE)")
        }
    }

    /// The client's response for a refusal by the target. If the mailbox does not exist: TRYCREATE if the user may
    /// create it.
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

    /// Takes a LIST response for the target mailbox. Dovecot refuses SELECT of a missing mailbox without a code, and
    /// clients create a mailbox only after TRYCREATE (RFC 9051 §6.4.7).
    func targetListed(_ list: ListResponse) {
        guard list.mailbox == self.plan.targetName else { return }
        self.isTargetListed = !list.attributes.contains { attribute in
            attribute.equals(word: "\\NonExistent") || attribute.equals(word: "\\Noselect")
        }
    }

    /// LIST of the target mailbox is complete: an existing mailbox keeps the server's refusal.
    func targetSought(refusal: ReplyText, in context: inout some CommandContext) {
        guard !self.isTargetListed else {
            return self.conclude(answer: refusal, in: &context)
        }
        self.conclude(answer: self.plan.mayCreate ? .tryCreate : .noSuchMailbox, in: &context)
    }

    /// Takes a FETCH response of the source: an answer about one of the messages, or an unsolicited update, which is
    /// forwarded to the client.
    ///
    /// - Throws: if the response or its date does not parse.
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

    /// The source completed the list: records the transfer in the journal, unless there is nothing to transfer.
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
