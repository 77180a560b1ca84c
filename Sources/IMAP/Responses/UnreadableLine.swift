package import struct NIOCore.ByteBuffer

extension ByteBuffer {
    /// The octets of both buffers, for a log.
    package static func + (one: ByteBuffer, other: ByteBuffer) -> ByteBuffer {
        var both = one
        both.writeImmutableBuffer(other)
        return both
    }

    /// Whether the octets are one line without literals: the first line end is at the end.
    package var isOneLine: Bool {
        let (place, end) = self.lineEnd(from: 0)
        return end == .crlf && place + 2 == self.readableBytes
    }
}

/// The start of a server's line that the gateway cannot parse, escaped for a person:
/// `* LIST (\\HasNoChildren) "/" M\xFCller`.
package struct UnreadableLine: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// The octets that are shown: enough for the attributes and name of a folder. More could show
    /// parts of a message, which must not be in a log.
    package static let maximumOctets = 120

    /// The escaped text.
    package let description: String

    /// - Parameter octets: the line, or the part that has arrived.
    package init(_ octets: ByteBuffer) {
        let line = octets.readableBytesView.prefix { $0 != 0x0D && $0 != 0x0A }
        var shown = line.prefix(Self.maximumOctets)
        // The strings of a FETCH response are parts of a message.
        if line.dropFirst(2).first?.isDigit ?? false {
            shown = shown.prefix { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "{") }
        }
        let text = shown.map(Self.escaped).joined()
        self.description = shown.count < line.count ? text + "..." : text
    }

    private static func escaped(_ octet: UInt8) -> String {
        if octet == UInt8(ascii: "\\") { return "\\\\" }
        guard octet >= 0x20, octet < 0x7F else {
            let digits = String(octet, radix: 16, uppercase: true)
            return octet < 0x10 ? "\\x0\(digits)" : "\\x\(digits)"
        }
        return String(Unicode.Scalar(octet))
    }
}
