import IMAP

package import struct NIOCore.ByteBuffer

/// The conversation with one of a transfer's two servers, outside any session, that finds out what
/// an interrupted transfer left, takes it back, or brings it to its end.
package struct TransferRecovery: ServerConversation {
    package enum Purpose: Equatable, Sendable {
        /// Look at what the source still has.
        case identify
        /// Remove from the target what is the copy of one of these, for each at most one.
        case undo([MessageIdentity])
        /// Remove the originals from the source.
        case complete
    }

    package enum Outcome: Equatable, Sendable {
        case identities([MessageIdentity])
        /// The mailbox is not there, or is another one of the same name.
        case gone
        /// So many messages were removed.
        case done(Int)
        /// The server cannot remove single messages.
        case cannotRemove
        case refused
    }

    private enum State {
        case selecting
        /// It was refused: whether the mailbox is there at all is asked.
        case looking
        case fetching
        case marking
        case expunging
        case finished
    }

    /// How often the target is looked at again where it may still be storing what it got.
    package static let looks = 3

    /// One, two and four parts of seven, so that the last look is at the end of the whole time.
    ///
    /// - Parameters:
    ///   - look: from 1 to ``looks``.
    ///   - time: nanoseconds in all.
    package static func wait(before look: Int, of time: Int64) -> Int64 {
        (time / 7) << Int64(look - 1)
    }

    private static let items: StaticString =
        "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"

    private let purpose: Purpose
    private let place: Transfer.Place
    private let uidNext: UInt32
    private let uids: Set<UInt32>
    private var name = ByteBuffer()
    private var isListed = false
    private var hasUIDPlus = false
    private var sender = CommandSender()
    private var state = State.selecting
    private var uidValidity: UInt32?
    /// What is still to be fetched, marked or expunged, a command each.
    private var batches: [SequenceSet] = []
    private var wanted: [MessageIdentity]
    /// What the source has, by UID.
    private var found: [UInt32: MessageIdentity] = [:]
    private var removed: [UInt32] = []

    package init(_ purpose: Purpose, of transfer: Transfer) {
        self.purpose = purpose
        self.uids = Set(transfer.uids)
        self.uidNext = transfer.uidNext
        if case .undo(let identities) = purpose {
            self.place = transfer.target
            self.wanted = identities
        } else {
            self.place = transfer.source
            self.wanted = []
        }
    }

    package mutating func begin(_ profile: UpstreamProfile, _ tags: UpstreamTags) -> Step {
        self.sender = CommandSender(tags)
        self.hasUIDPlus = profile.has("UIDPLUS")
        guard let name = UpstreamNames(profile).name(of: self.place.folder) else {
            return self.finish(.gone)
        }
        self.name = name
        let changes = self.purpose != .identify
        return self.send { encoder in
            if changes { encoder.write(word: "SELECT") } else { encoder.write(word: "EXAMINE") }
            encoder.write(mailbox: name)
        }
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
            self.fetched(response)
            return .wait
        case .data(.list):
            if let list = try? ListResponse(response), list.mailbox == self.name {
                self.isListed = true
            }
            return .wait
        case .data, .numbered:
            return .wait
        }
    }

    /// A mailbox that cannot be selected now is not gone: only one that is not listed is.
    private mutating func refused(_ code: ResponseCode?) -> Step {
        guard case .selecting = self.state else { return self.finish(.refused) }
        if case .nonExistent? = code { return self.finish(.gone) }
        self.state = .looking
        let name = self.name
        return self.send { encoder in
            encoder.write(word: "LIST \"\"")
            encoder.write(mailbox: name)
        }
    }

    private mutating func fetched(_ response: ByteBuffer) {
        guard case .fetching = self.state, let fetched = try? FetchResponse(response),
            let identity = MessageIdentity(fetched), let uid = fetched.uid
        else { return }
        guard case .undo = self.purpose else {
            if self.uids.contains(uid) { self.found[uid] = identity }
            return
        }
        // `8:*` means the last message too, whatever its UID (RFC 9051 §9).
        guard uid >= self.uidNext, let index = self.wanted.firstIndex(of: identity) else { return }
        self.wanted.remove(at: index)
        self.removed.append(uid)
    }

    private mutating func completed() -> Step {
        switch self.state {
        case .selecting:
            guard self.uidValidity == self.place.uidValidity else { return self.finish(.gone) }
            switch self.purpose {
            case .identify:
                self.batches = SequenceSet.batches(of: self.uids.sorted())
            case .undo:
                self.batches = [SequenceSet(from: self.uidNext)]
            case .complete:
                return self.remove(self.uids.sorted())
            }
            self.state = .fetching
            return self.fetchNext()
        case .looking:
            return self.finish(self.isListed ? .refused : .gone)
        case .fetching:
            return self.fetchNext()
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
            guard case .undo = self.purpose else {
                let found = self.found.sorted { $0.key < $1.key }.map(\.value)
                return self.finish(.identities(found))
            }
            guard !self.removed.isEmpty else { return self.finish(.done(0)) }
            guard self.hasUIDPlus else { return self.finish(.cannotRemove) }
            return self.remove(self.removed)
        }
        return self.send { encoder in
            encoder.write(word: "UID FETCH")
            batch.encode(into: &encoder)
            encoder.write(word: Self.items)
        }
    }

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
        self.sender.send(write).map { .send([$0]) } ?? self.finish(.refused)
    }

    private mutating func finish(_ outcome: Outcome) -> Step {
        self.state = .finished
        return .done(outcome)
    }
}

/// What tells the copy of a message: when it came in, and its Message-ID, or without one its size.
///
/// Content is not compared, because Exchange stores what it is given in its own words; the date and
/// the Message-ID stay.
package struct MessageIdentity: Equatable, Sendable {
    /// Seconds since 1970.
    private let date: Int64
    private let messageID: ByteBuffer?
    /// Octets; nil where the Message-ID is known.
    private let size: UInt64?

    /// - Returns: nil for what does not tell enough.
    init?(_ fetched: FetchResponse) {
        guard let date = fetched.internalDate.flatMap(DateTime.init) else { return nil }
        self.date = date.seconds
        self.messageID = fetched.body.flatMap(Self.value)
        self.size = self.messageID == nil ? fetched.size : nil
        guard self.messageID != nil || self.size != nil else { return nil }
    }

    /// What stands behind `Message-ID:`, without white space.
    private static func value(_ header: ByteBuffer) -> ByteBuffer? {
        guard let colon = header.readableBytesView.firstIndex(of: UInt8(ascii: ":")) else {
            return nil
        }
        let value = header.readableBytesView[(colon + 1)...].filter { $0 > 0x20 }
        return value.isEmpty ? nil : ByteBuffer(bytes: value)
    }
}
