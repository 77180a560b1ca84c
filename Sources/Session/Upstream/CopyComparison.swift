import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Decides whether a Sent folder contains another message with the same content as the gateway's own copy: the
/// same text, and equal values of the main header fields. An equal Message-ID is no proof, because anyone who
/// receives the message can store a different message with that Message-ID in the folder.
///
/// Other fields may differ: mail programs keep `Bcc` in the message that they file, and the gateway adds `Sender`.
struct CopyComparison: Sendable {
    /// The part of a message that is fetched and hashed.
    enum Part: Sendable {
        /// The header fields that ``SentFiling`` compares.
        case header
        /// BODY[TEXT].
        case text
    }

    /// Messages that are compared with the own copy. Without a limit, anyone who can store messages with this
    /// Message-ID could make the gateway fetch all of them.
    private static let maximumOthers = 4
    /// Octets by which the sizes of two copies may differ, because their headers differ.
    private static let maximumDifference: UInt64 = 16 * 1_024

    /// The UID of the gateway's own copy.
    let own: UInt32
    /// RFC822.SIZE by UID, in octets.
    private var sizes: [UInt32: UInt64] = [:]
    /// UIDs still to be compared; the last one is compared first.
    private var others: [UInt32]
    /// The digests of the own copy: header, then text.
    private var ownDigests: [MessageDigest] = []
    /// The part that is being hashed.
    private var current: (uid: UInt32, part: Part)
    private var digester: BodyDigester
    /// Whether another message with the same content was found.
    private(set) var isSame = false

    /// - Parameters:
    ///   - own: the UID of the own copy.
    ///   - found: UIDs of the messages with the own copy's Message-ID.
    ///   - others: UIDs of the gateway's copies of other messages; they are not compared.
    /// - Returns: nil if the own copy is not in `found`, or if no other message remains.
    init?(own: UInt32, found: [UInt32], except others: Set<UInt32>) {
        guard found.contains(own) else { return nil }
        self.own = own
        self.others = found.filter { $0 != own && !others.contains($0) }
            .suffix(Self.maximumOthers)
        guard !self.others.isEmpty else { return nil }
        self.current = (own, .header)
        self.digester = BodyDigester(uid: own)
    }

    /// UIDs of the messages whose RFC822.SIZE must be fetched first.
    var uids: [UInt32] { (self.others + [self.own]).sorted() }

    mutating func sized(uid: UInt32, octets: UInt64) {
        self.sizes[uid] = octets
    }

    /// Hashes one piece of a FETCH response.
    ///
    /// - Returns: whether the piece belongs to the response with the requested part.
    mutating func take(_ piece: ResponseReader.Piece) -> Bool {
        self.digester.take(piece)
    }

    /// The first part to fetch; nil if no other message has a size close to that of the own copy.
    mutating func begin() -> (uid: UInt32, part: Part)? {
        guard let own = self.sizes[self.own] else { return nil }
        self.others = self.others.filter { uid in
            guard let size = self.sizes[uid] else { return false }
            return max(size, own) - min(size, own) <= Self.maximumDifference
        }
        return self.others.isEmpty ? nil : self.current
    }

    /// The requested part has arrived, or the message no longer exists.
    ///
    /// - Returns: the next part to fetch; nil if ``isSame`` is final.
    mutating func next() -> (uid: UInt32, part: Part)? {
        let digest = self.digester.digest
        if self.current.uid == self.own {
            guard let digest else { return nil }
            self.ownDigests.append(digest)
            return self.current.part == .header
                ? self.read(self.own, part: .text) : self.readOther()
        }
        let isEqual = digest == self.ownDigests[self.current.part == .header ? 0 : 1]
        if isEqual, self.current.part == .header { return self.read(self.current.uid, part: .text) }
        self.isSame = isEqual
        return isEqual ? nil : self.readOther()
    }

    private mutating func readOther() -> (uid: UInt32, part: Part)? {
        self.others.popLast().flatMap { self.read($0, part: .header) }
    }

    private mutating func read(_ uid: UInt32, part: Part) -> (uid: UInt32, part: Part)? {
        self.current = (uid, part)
        self.digester = BodyDigester(uid: uid)
        return self.current
    }
}
