import IMAP

import struct NIOCore.ByteBuffer

/// The messages to transfer, as the source lists them.
struct TransferListing {
    struct Message {
        var uid: UInt32
        var flags: [Flag]
        var date: ByteBuffer?
    }

    /// Between accounts, so many messages move by one command: COPYUID has to name them, and the
    /// session holds what is known of each.
    static let maximumMessages = 10_000
    /// Flags of a message that pass, and octets of a keyword: no server keeps more.
    static let maximumFlags = 64
    static let maximumFlagOctets = 256
    /// Octets of all keywords of all messages.
    static let maximumKeywordOctets = 4 * 1_024 * 1_024
    /// `17-Jul-1996 02:44:25 -0700`
    static let maximumDateOctets = 26

    var messages: [Message] = []
    private var known: Set<UInt32> = []
    /// Numbers of messages that are meant and of which the source told a part only, and of those of
    /// which it told all.
    private var partlyListed: Set<UInt32> = []
    private var listed: Set<UInt32> = []
    private var flagOctets = 0
    /// Those that were marked as deleted before.
    var wasDeleted: Set<UInt32> = []

    var hasTooManyKeywords: Bool { self.flagOctets > Self.maximumKeywordOctets }

    /// Whether the source told of a message that is meant, and not all that was asked. To leave it out
    /// would be to say that it is not there.
    var lacksMessages: Bool { !self.partlyListed.isSubset(of: self.listed) }

    /// Takes that the source told a part of what was asked of a message, or news of it.
    mutating func addPart(of fetched: FetchResponse, for copy: Copy) {
        let number = copy.isUID ? fetched.uid : fetched.number
        guard let number, copy.set.surelyContains(number),
            self.partlyListed.count <= Self.maximumMessages
        else { return }
        self.partlyListed.insert(fetched.number)
    }

    /// Takes a message that the source tells of, once.
    mutating func add(_ number: UInt32, uid: UInt32, flags: [Flag], date: ByteBuffer) {
        if self.listed.count <= Self.maximumMessages { self.listed.insert(number) }
        guard self.messages.count <= Self.maximumMessages, self.known.insert(uid).inserted else {
            return
        }
        if flags.contains(.deleted) { self.wasDeleted.insert(uid) }
        // Octets of their own: a slice would keep the whole response.
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
