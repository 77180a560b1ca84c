import Access
import IMAP

/// The messages of each APPEND, and the target's tagged responses.
extension Transferring {
    /// The flags of a message that the user may set (RFC 4314 §4) and the target stores.
    func flags(of message: TransferListing.Message) -> [Flag] {
        Flags.permitted(message.flags, rights: self.rights).filter { flag in
            guard let kept = self.permanentFlags else { return true }
            if case .keyword = flag, kept.contains("\\*") { return true }
            return kept.contains(flag.text.uppercasedText())
        }
    }

    /// All octets of the current message were streamed.
    func messagePassed() {
        let message = self.listing.messages[self.progress.index]
        self.progress.sending.append(
            Transfer.Message(
                source: message.uid,
                octets: self.progress.hasher.octets,
                date: message.date.flatMap(DateTime.init)?.seconds ?? 0,
                digest: self.progress.hasher.digest
            )
        )
        self.progress.index += 1
    }

    /// The journal record of the current APPEND. The target stores nothing until it gets the last line end.
    func recordAppend() -> TransferAppend {
        self.journal.previous = self.journal.last
        self.journal.last = AppendOutcome(
            number: self.journal.previous.number + 1,
            answer: .refused
        )
        return TransferAppend(
            number: self.journal.last.number,
            messages: self.progress.sending,
            previous: self.journal.previous
        )
    }

    /// The journal could not be written, so it does not contain the current APPEND.
    func appendNotRecorded() {
        self.journal.last = self.journal.previous
    }

    /// The last line end of the current APPEND is sent. From now on its outcome is in doubt.
    func completeAppend() {
        self.progress.isInDoubt = true
        self.journal.last.answer = .missing
    }

    /// The target refused the current APPEND.
    func refuse() {
        self.progress.isInDoubt = false
        self.journal.last.answer = .refused
    }

    /// The target completed the current APPEND with OK, or within one account the COPY in its place.
    func confirm(_ code: ResponseCode?) {
        self.progress.isInDoubt = false
        let (sources, uids) =
            self.plan.isLocal ? self.copied(code) : (self.progress.sent, self.uids(code))
        self.progress.confirmed += sources
        self.journal.last.answer = .stored(uids: uids)
        if let uids { self.progress.copies? += uids } else { self.progress.copies = nil }
        self.progress.sending = []
    }

    /// The UIDs of the copied messages and of their copies, from COPYUID. A message that COPYUID does not name no
    /// longer existed or was not copied, so its original stays. Without COPYUID, `OK` means that all existing messages
    /// were copied (RFC 9051 §6.4.7).
    ///
    /// - Returns: without UIDs of the copies if COPYUID is missing or contradicts the transfer.
    func copied(_ code: ResponseCode?) -> (sources: [UInt32], uids: [UInt32]?) {
        guard case .copyUID(let validity, let set, let copies)? = code else {
            return (self.progress.sent, nil)
        }
        let sent = Set(self.progress.sent)
        guard let sources = set.members(atMost: sent.count), Set(sources).count == sources.count,
            sent.isSuperset(of: sources)
        else {
            self.progress.isCopyDoubtful = true
            return (self.progress.sent, nil)
        }
        guard validity == self.uidValidity, let uids = copies.members(atMost: sources.count),
            self.areNew(uids), uids.count == sources.count
        else { return (sources, nil) }
        // The journal lists the messages in the order in which they were sent.
        let pairs = Dictionary(uniqueKeysWithValues: zip(sources, uids))
        let ordered = self.progress.sent.filter { pairs[$0] != nil }
        self.progress.named.formUnion(uids)
        return (ordered, ordered.compactMap { pairs[$0] })
    }

    /// Whether UIDs can belong to messages that this transfer stored: each occurs once, and none existed before.
    private func areNew(_ uids: [UInt32]) -> Bool {
        guard let uidNext = self.uidNext else { return false }
        return Set(uids).count == uids.count && uids.allSatisfy { $0 >= uidNext }
            && Set(uids).isDisjoint(with: self.progress.named)
    }

    /// Takes UIDNEXT, and within one account UIDVALIDITY, from STATUS of the target mailbox.
    func counted(_ status: StatusResponse) {
        for (item, value) in status.items {
            guard case .number(let number) = value, let number = UInt32(exactly: number),
                number > 0
            else { continue }
            switch item {
            case .uidNext: self.uidNext = number
            case .uidValidity where self.plan.isLocal: self.uidValidity = number
            default: break
            }
        }
    }

    /// The UIDs in APPENDUID; nil unless they fit the current APPEND: the same number, the UIDVALIDITY of the selected
    /// mailbox, and no UID that existed before.
    private func uids(_ code: ResponseCode?) -> [UInt32]? {
        guard case .appendUID(let validity, let set)? = code, validity == self.uidValidity,
            let uids = set.members(atMost: self.progress.sending.count),
            uids.count == self.progress.sending.count,
            self.areNew(uids)
        else { return nil }
        self.progress.named.formUnion(uids)
        return uids
    }

    /// `COPYUID` for the client; nil if the user may not read the target, or if a UID is unknown.
    var copyUID: ResponseCode? {
        guard self.rights.contains(.read), let uidValidity = self.uidValidity,
            let copies = self.progress.copies, !copies.isEmpty,
            copies.count == self.progress.confirmed.count
        else { return nil }
        return .copyUID(
            uidValidity,
            SequenceSet(uids: self.progress.confirmed),
            SequenceSet(uids: copies)
        )
    }
}
