package import struct NIOCore.ByteBuffer

/// The text of a server's refusal after the response code: `Quota exceeded`.
///
/// It can be sent to a client: it is printable US-ASCII, does not start like a response code
/// (RFC 9051 §7.1) and does not end like the announcement of a literal. Only the owner of an
/// account gets it, because it may contain names that others must not know.
package struct RefusalText: Equatable, Sendable {
    /// The longest text, in octets: one or two sentences. It is sent again with each refused
    /// command.
    private static let maximumOctets = 512

    /// The text.
    package let octets: ByteBuffer

    /// - Parameter text: the text of a status response, without CR LF.
    /// - Returns: nil for an empty text, and for octets that must not be sent.
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
            // JavaMail reads `{5}` at the end of any line as the announcement of a literal.
            view.last != UInt8(ascii: "}")
        else { return nil }
        // Copy the octets: a slice would keep the whole response in memory.
        self.octets = ByteBuffer(bytes: view)
    }
}
