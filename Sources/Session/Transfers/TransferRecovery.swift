package import Access
package import IMAP

package import struct NIOCore.ByteBuffer

/// A conversation, outside any session, with one of the two servers of an interrupted transfer. It finds out
/// what the transfer left, undoes it, or completes it.
///
/// Two rules protect other messages. It removes only UIDs from the journal. It selects only a mailbox that the
/// server lists, because an unlisted name could be an alias of another mailbox (``FolderList``).
package struct TransferRecovery: ServerConversation {
    package enum Purpose: Equatable, Sendable {
        /// Find which messages the source still has.
        case identify
        /// Find which messages of the target are copies of these.
        case find([Transfer.Message])
        /// Expunge the messages with these UIDs from the target.
        case undo([UInt32])
        /// Expunge the originals from the source.
        case complete
    }

    package enum Outcome: Equatable, Sendable {
        /// UIDs of the transfer's messages that the source still has.
        case present(Set<UInt32>)
        /// UIDs of the copies, by the UIDs of their originals.
        /// - Parameter isConclusive: whether no other message can be a copy.
        case found([UInt32: UInt32], isConclusive: Bool)
        /// The mailbox does not exist, or another mailbox now has its name (UIDVALIDITY differs).
        case gone
        /// `LIST "" "*"` omits the mailbox, but the server knows its name. The mailbox is not opened.
        case unlisted
        /// The number of messages that were expunged.
        case done(Int)
        /// The server lacks UIDPLUS, so it cannot expunge single messages.
        case cannotRemove
        /// The server refused a command or broke the protocol.
        case refused
    }

    private enum State {
        case listing
        /// LIST of the one name is in flight, because the full list lacks it.
        case looking
        case selecting
        case fetching
        /// The octets of one candidate after another are fetched and hashed.
        case reading
        case marking
        case expunging
        case finished
    }

    /// How many more times the target is searched while it may still be storing what it received.
    package static let looks = 3

    /// The wait in nanoseconds before a search of the target: one, two and four sevenths of the total time, so that
    /// the last search happens at the end of that time.
    ///
    /// - Parameters:
    ///   - look: the number of the search, from 1 to ``looks``.
    ///   - time: the total time in nanoseconds.
    package static func wait(before look: Int, of time: Int64) -> Int64 {
        (time / 7) << Int64(look - 1)
    }

    private let purpose: Purpose
    private let mailbox: Transfer.Mailbox
    /// UIDNEXT of the target before the transfer. Copies have at least this UID.
    private let uidNext: UInt32
    /// UIDs of the originals at the source.
    private let uids: Set<UInt32>
    private var name = ByteBuffer()
    private var isListed = false
    /// Whether a LIST line did not parse. It may have been the mailbox's line.
    private var isListIncomplete = false
    private var hasUIDPlus = false
    private var sender = CommandSender()
    private var state = State.listing
    private var names: UpstreamNames?
    private var uidValidity: UInt32?
    /// UID sets still to be fetched, marked or expunged, one command each.
    private var batches: [SequenceSet] = []
    /// UIDs of the transfer's messages that the source still has.
    private var present: Set<UInt32> = []
    private var search: CopySearch
    /// UIDs of the messages still to be hashed, in reverse order.
    private var unread: [UInt32] = []
    private var reading: (uid: UInt32, digester: BodyDigester)?
    private var removed: [UInt32] = []

    /// - Parameter transfer: the journal entry. The purpose decides which of its two mailboxes is opened.
    package init(_ purpose: Purpose, of transfer: Transfer) {
        self.purpose = purpose
        self.uids = Set(transfer.uids)
        self.uidNext = transfer.uidNext
        switch purpose {
        case .find, .undo: self.mailbox = transfer.target
        case .identify, .complete: self.mailbox = transfer.source
        }
        var wanted: [Transfer.Message] = []
        if case .find(let messages) = purpose { wanted = messages }
        self.search = CopySearch(wanted: wanted, known: Set(transfer.copies.compactMap(\.uid)))
    }

    package mutating func begin(_ profile: UpstreamProfile, tags: UpstreamTags) -> Step {
        self.sender = CommandSender(tags)
        self.hasUIDPlus = profile.has("UIDPLUS")
        let names = UpstreamNames(profile)
        guard let name = names.name(of: self.mailbox.folder) else { return self.finish(.gone) }
        self.names = names
        self.name = name
        return self.send { $0.write(word: "LIST \"\" \"*\"") }
    }

    /// Opens the mailbox if the server lists it, read-only unless messages are to be removed. Otherwise asks
    /// whether the server knows the name.
    private mutating func select() -> Step {
        let name = self.name
        guard self.isListed else {
            self.state = .looking
            return self.send { encoder in
                encoder.write(word: "LIST \"\"")
                encoder.write(mailbox: name)
            }
        }
        self.state = .selecting
        let changes =
            switch self.purpose {
            case .undo, .complete: true
            case .identify, .find: false
            }
        return self.send { encoder in
            if changes { encoder.write(word: "SELECT") } else { encoder.write(word: "EXAMINE") }
            encoder.write(mailbox: name)
        }
    }

    package mutating func pieceReceived(_ piece: ResponseReader.Piece) -> Bool {
        self.reading?.digester.take(piece) ?? false
    }

    package mutating func responseReceived(_ response: ByteBuffer) -> Step {
        guard let head = try? ResponseHead(response) else { return self.finish(.refused) }
        switch head {
        case .tagged(let tag, let condition, let text):
            guard tag == self.sender.tag else { return self.finish(.refused) }
            return condition == .ok
                ? self.completed() : self.refused((try? ResponseText(text))?.code)
        case .continuation:
            return self.sender.next().map { .send([$0]) } ?? self.finish(.refused)
        case .status(_, let text):
            if case .uidValidity(let value)? = (try? ResponseText(text))?.code {
                self.uidValidity = value
            }
            return .wait
        case .numbered(_, .fetch):
            return self.fetched(response)
        case .data(.list):
            guard let list = try? ListResponse(response) else {
                self.isListIncomplete = true
                return .wait
            }
            if self.names?.folder(listedAs: list.mailbox) == self.mailbox.folder {
                self.isListed = true
            }
            return .wait
        case .data, .numbered:
            return .wait
        }
    }

    /// A listed mailbox that cannot be selected now still exists, unless the code says otherwise.
    private mutating func refused(_ code: ResponseCode?) -> Step {
        if case .selecting = self.state, case .nonExistent? = code { return self.finish(.gone) }
        return self.finish(.refused)
    }

    /// A FETCH response that does not parse ends the conversation: it may describe a message that is searched for.
    private mutating func fetched(_ response: ByteBuffer) -> Step {
        guard let fetched = try? FetchResponse(response) else { return self.finish(.refused) }
        guard case .fetching = self.state, let uid = fetched.uid else { return .wait }
        if self.uids.contains(uid) { self.present.insert(uid) }
        // `8:*` includes the last message even if its UID is lower (RFC 9051 §9).
        guard case .find = self.purpose, uid >= self.uidNext, let size = fetched.size,
            let internalDate = fetched.internalDate
        else { return .wait }
        guard let date = DateTime(internalDate) else { return self.finish(.refused) }
        self.search.listed(uid: uid, size: size, date: date.seconds)
        return .wait
    }

    private mutating func completed() -> Step {
        switch self.state {
        case .listing:
            return self.select()
        case .looking:
            guard self.isListed || !self.isListIncomplete else { return self.finish(.refused) }
            return self.finish(self.isListed ? .unlisted : .gone)
        case .selecting:
            guard self.uidValidity == self.mailbox.uidValidity else { return self.finish(.gone) }
            switch self.purpose {
            case .identify:
                self.batches = SequenceSet.batches(of: self.uids.sorted())
            case .find:
                self.batches = [SequenceSet(from: self.uidNext)]
            case .undo(let uids):
                guard self.hasUIDPlus else { return self.finish(.cannotRemove) }
                return self.remove(uids.filter { $0 >= self.uidNext }.sorted())
            case .complete:
                return self.remove(self.uids.sorted())
            }
            self.state = .fetching
            return self.fetchNext()
        case .fetching:
            return self.fetchNext()
        case .reading:
            if let (uid, digester) = self.reading {
                self.search.looked(at: uid, digest: digester.digest)
            }
            return self.readNext()
        case .marking:
            return self.markNext()
        case .expunging:
            return self.expungeNext()
        case .finished:
            return self.finish(.refused)
        }
    }

    private mutating func fetchNext() -> Step {
        guard let batch = self.batches.popLast() else {
            guard case .find = self.purpose else { return self.finish(.present(self.present)) }
            self.unread = self.search.uids.reversed()
            self.state = .reading
            return self.readNext()
        }
        let isSearch = self.purpose != .identify
        return self.send { encoder in
            encoder.write(word: "UID FETCH")
            batch.encode(into: &encoder)
            encoder.write(word: isSearch ? "(UID INTERNALDATE RFC822.SIZE)" : "(UID)")
        }
    }

    /// Fetches the octets of the next message that may be a copy.
    private mutating func readNext() -> Step {
        guard let uid = self.unread.popLast() else {
            self.reading = nil
            let found = self.search.found()
            return self.finish(.found(found, isConclusive: self.search.isConclusive))
        }
        self.reading = (uid, BodyDigester(uid: uid))
        return self.send { encoder in
            encoder.write(word: "UID FETCH")
            encoder.write(number: UInt64(uid))
            encoder.write(word: "(UID BODY.PEEK[])")
        }
    }

    /// Sets `\Deleted` on all messages, then expunges them by UID. Without UIDPLUS it stops before the expunge,
    /// because EXPUNGE would also remove messages that others have marked.
    private mutating func remove(_ uids: [UInt32]) -> Step {
        self.removed = uids
        self.batches = SequenceSet.batches(of: uids)
        self.state = .marking
        return self.markNext()
    }

    private mutating func markNext() -> Step {
        guard let batch = self.batches.popLast() else {
            guard self.hasUIDPlus else { return self.finish(.cannotRemove) }
            self.batches = SequenceSet.batches(of: self.removed)
            self.state = .expunging
            return self.expungeNext()
        }
        return self.send { encoder in
            encoder.write(word: "UID STORE")
            batch.encode(into: &encoder)
            encoder.write(word: "+FLAGS.SILENT (\\Deleted)")
        }
    }

    private mutating func expungeNext() -> Step {
        guard let batch = self.batches.popLast() else {
            return self.finish(.done(self.removed.count))
        }
        return self.send { encoder in
            encoder.write(word: "UID EXPUNGE")
            batch.encode(into: &encoder)
        }
    }

    private mutating func send(_ write: (inout CommandEncoder) -> Void) -> Step {
        self.sender.send(write: write).map { .send([$0]) } ?? self.finish(.refused)
    }

    private mutating func finish(_ outcome: Outcome) -> Step {
        self.state = .finished
        return .done(outcome)
    }
}
