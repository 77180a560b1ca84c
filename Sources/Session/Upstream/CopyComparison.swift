import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Whether another message of a Sent folder shows its reader the same as the gateway's own copy: the
/// same text, and the same fields of the header that make up a message. A Message-ID proves nothing,
/// because anybody who gets the message can put another one with it into the folder.
///
/// Other fields may differ: mail programs keep `Bcc` in what they file, and the gateway adds `Sender`.
struct CopyComparison: Sendable {
    enum Part: Sendable {
        case header
        case text
    }

    /// Messages that are compared with the own copy.
    private static let maximumOthers = 4
    /// Octets by which the headers of two copies of one message may differ.
    private static let maximumDifference: UInt64 = 16 * 1_024

    let own: UInt32
    private var sizes: [UInt32: UInt64] = [:]
    private var others: [UInt32]
    private var ownDigests: [MessageDigest] = []
    private var current: (uid: UInt32, part: Part)
    private var digester: BodyDigester
    private(set) var isSame = false

    /// - Returns: nil where there is nothing to compare.
    /// - Parameters:
    ///   - found: messages with the own copy's Message-ID.
    ///   - others: UIDs of the gateway's own copies of other messages.
    init?(own: UInt32, found: [UInt32], except others: Set<UInt32>) {
        guard found.contains(own) else { return nil }
        self.own = own
        self.others = found.filter { $0 != own && !others.contains($0) }
            .suffix(Self.maximumOthers)
        guard !self.others.isEmpty else { return nil }
        self.current = (own, .header)
        self.digester = BodyDigester(uid: own)
    }

    /// Messages whose RFC822.SIZE has to be told first.
    var uids: [UInt32] { (self.others + [self.own]).sorted() }

    mutating func sized(uid: UInt32, octets: UInt64) {
        self.sizes[uid] = octets
    }

    mutating func take(_ piece: ResponseReader.Piece) -> Bool {
        self.digester.take(piece)
    }

    /// What has to be read first; nil where no other message has about the size of the own copy.
    mutating func begin() -> (uid: UInt32, part: Part)? {
        guard let own = self.sizes[self.own] else { return nil }
        self.others = self.others.filter { uid in
            guard let size = self.sizes[uid] else { return false }
            return max(size, own) - min(size, own) <= Self.maximumDifference
        }
        return self.others.isEmpty ? nil : self.current
    }

    /// What was asked for has passed.
    /// - Returns: what has to be read next; nil where everything is known.
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
