package import Access
import Cryptography
import IMAP

package import struct NIOCore.ByteBuffer

/// Computes the digest of a message while its octets pass; none is kept.
package struct MessageHasher: Sendable {
    private var hash = SHA256()
    /// Octets so far.
    package private(set) var octets: UInt64 = 0

    package init() {}

    package mutating func update(_ octets: ByteBuffer) {
        octets.withUnsafeReadableBytes { self.hash.update($0) }
        self.octets += UInt64(octets.readableBytes)
    }

    /// Of the octets so far.
    package var digest: MessageDigest { MessageDigest(sha256: self.hash.digest) }
}

/// Computes the digest of the one BODY[…] item of a FETCH response, piece by piece, so that the
/// response is never collected.
struct BodyDigester: Sendable {
    private let uid: UInt32
    private var hasher = MessageHasher()
    private var isTaking = false
    private var isInBody = false
    /// Of the item; nil while it has not passed, and where the message is not there.
    private(set) var digest: MessageDigest?

    init(uid: UInt32) {
        self.uid = uid
    }

    /// - Returns: whether the piece belongs to the message's response, which nobody else reads then.
    mutating func take(_ piece: ResponseReader.Piece) -> Bool {
        if piece.isFirst {
            self.begin(piece.octets)
        } else if piece.kind == .literal, self.isInBody {
            self.hasher.update(piece.octets)
        } else {
            self.isInBody = false
        }
        if self.isTaking, piece.isLast { self.digest = self.hasher.digest }
        return self.isTaking
    }

    private mutating func begin(_ first: ByteBuffer) {
        self.isTaking = false
        self.isInBody = false
        guard self.digest == nil, let head = try? ResponseHead(first),
            case .numbered(_, .fetch) = head, let fetched = try? FetchResponse(first),
            fetched.uid.map({ $0 == self.uid }) ?? true,
            fetched.announced != nil || fetched.body != nil
        else { return }
        self.isTaking = true
        self.isInBody = fetched.announced != nil
        self.hasher = MessageHasher()
        if let body = fetched.body { self.hasher.update(body) }
    }
}
