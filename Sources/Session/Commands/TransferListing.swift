import IMAP

import struct NIOCore.ByteBuffer

/// The messages of a transfer, from the source's FETCH responses.
struct TransferListing {
    struct Message {
        var uid: UInt32
        var flags: [Flag]
        /// INTERNALDATE as the source sent it, at most ``maximumDateOctets``.
        var date: ByteBuffer?
    }

    /// Messages of one transfer between accounts. COPYUID must name all of them, and the session holds the UID, flags
    /// and date of each in memory.
    static let maximumMessages = 10_000
    /// Flags kept of a message. No server keeps more; a hostile source could otherwise fill memory.
    static let maximumFlags = 64
    /// Octets kept of a keyword, for the same reason.
    static let maximumFlagOctets = 256
    /// Octets of the keywords of all messages, for the same reason. More of them refuse the command.
    static let maximumKeywordOctets = 4 * 1_024 * 1_024
    /// The octets of `17-Jul-1996 02:44:25 -0700`.
    static let maximumDateOctets = 26

    var messages: [Message] = []
    /// UIDs in ``messages``.
    private var known: Set<UInt32> = []
    /// Sequence numbers of requested messages for which a response lacked a requested item.
    private var partlyListed: Set<UInt32> = []
    /// Sequence numbers of messages for which a response had all items.
    private var listed: Set<UInt32> = []
    /// Octets of the keywords kept.
    private var flagOctets = 0
    /// UIDs of the messages that had `\Deleted` before the transfer.
    var wasDeleted: Set<UInt32> = []

    /// Whether the keywords exceed ``maximumKeywordOctets``.
    var hasTooManyKeywords: Bool { self.flagOctets > Self.maximumKeywordOctets }

    /// Whether the source sent only some of the requested items for a requested message. The transfer must fail then:
    /// to omit the message would mean that it does not exist.
    var lacksMessages: Bool { !self.partlyListed.isSubset(of: self.listed) }

    /// Takes a response without all requested items: an incomplete answer, or an unsolicited update.
    mutating func addPart(of fetched: FetchResponse, for copy: Copy) {
        let number = copy.isUID ? fetched.uid : fetched.number
        guard let number, copy.set.surelyContains(number),
            self.partlyListed.count <= Self.maximumMessages
        else { return }
        self.partlyListed.insert(fetched.number)
    }

    /// Takes a response with all requested items. Further responses for the same UID are ignored.
    mutating func add(_ number: UInt32, uid: UInt32, flags: [Flag], date: ByteBuffer) {
        if self.listed.count <= Self.maximumMessages { self.listed.insert(number) }
        guard self.messages.count <= Self.maximumMessages, self.known.insert(uid).inserted else {
            return
        }
        if flags.contains(.deleted) { self.wasDeleted.insert(uid) }
        // A copy, because a slice would keep the whole response in memory.
        let flags = flags.prefix(Self.maximumFlags).map { flag in
            guard case .keyword(let name) = flag else { return flag }
            self.flagOctets += min(name.readableBytes, Self.maximumFlagOctets)
            return .keyword(
                ByteBuffer(bytes: name.readableBytesView.prefix(Self.maximumFlagOctets))
            )
        }
        self.messages.append(
            Message(
                uid: uid,
                flags: self.flagOctets > Self.maximumKeywordOctets ? [] : flags,
                date: ByteBuffer(bytes: date.readableBytesView.prefix(Self.maximumDateOctets))
            )
        )
    }
}
