package import struct NIOCore.ByteBuffer

/// The words of a server's refusal, behind the response code: `Quota exceeded`.
///
/// They may be repeated to a client: they are printable US-ASCII, begin with nothing that a client takes for a
/// response code (RFC 9051 §7.1), and end with nothing that one takes for a literal. Only the owner of an account reads them, because they may
/// name what others must not know of.
package struct ServerWords: Equatable, Sendable {
    /// A sentence or two. What is longer is no reason, and would be repeated with each command.
    private static let maximumOctets = 512

    package let octets: ByteBuffer

    /// - Parameter text: of a status response, without its CR LF.
    /// - Returns: nil where there are no words, or octets that are not repeated.
    package init?(_ text: ByteBuffer) {
        var view = text.readableBytesView[...]
        if view.first == UInt8(ascii: "[") {
            guard let end = view.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            view = view[view.index(after: end)...]
        }
        view = view.drop { $0 == UInt8(ascii: " ") }
        guard let first = view.first, first != UInt8(ascii: "["),
            view.count <= Self.maximumOctets,
            view.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }),
            // JavaMail takes `{5}` at the end of any line for a literal's announcement.
            view.last != UInt8(ascii: "}")
        else { return nil }
        // Octets of its own: a slice would keep the whole response.
        self.octets = ByteBuffer(bytes: view)
    }
}
