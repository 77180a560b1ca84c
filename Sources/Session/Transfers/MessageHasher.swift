package import Access
import Cryptography
import IMAP

package import struct NIOCore.ByteBuffer

/// Computes the SHA-256 digest of a message while its octets are streamed. It keeps none of the octets.
package struct MessageHasher: Sendable {
    private var hash = SHA256()
    /// The number of octets hashed so far.
    package private(set) var octets: UInt64 = 0

    package init() {}

    /// Hashes the readable octets of a buffer, in the order of the calls.
    package mutating func update(_ octets: ByteBuffer) {
        octets.withUnsafeReadableBytes { self.hash.update($0) }
        self.octets += UInt64(octets.readableBytes)
    }

    /// The digest of the octets hashed so far.
    package var digest: MessageDigest { MessageDigest(sha256: self.hash.digest) }
}

/// Computes the digest of the one BODY[…] item of a FETCH response from the response's pieces, so that the
/// gateway never holds a whole message.
struct BodyDigester: Sendable {
    private let uid: UInt32
    private var hasher = MessageHasher()
    /// Whether the response that is arriving contains the message.
    private var isTaking = false
    /// Whether the next literal piece belongs to the BODY[…] item.
    private var isInBody = false
    /// The digest of the item; nil until the response is complete, or if the server sent no such response.
    private(set) var digest: MessageDigest?

    /// - Parameter uid: the UID of the message that was asked for.
    init(uid: UInt32) {
        self.uid = uid
    }

    /// Takes one piece of a response.
    ///
    /// - Returns: whether the piece belongs to the message's response; the caller then drops the piece.
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

    /// Decides from the first piece whether the response contains the message. A FETCH response without a UID
    /// counts, because one message is asked for at a time. Only the first such response counts.
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
