package import struct NIOCore.ByteBuffer

extension ByteBuffer {
    /// The octets of two, for a log.
    package static func + (one: ByteBuffer, other: ByteBuffer) -> ByteBuffer {
        var both = one
        both.writeImmutableBuffer(other)
        return both
    }

    /// Whether the first line end is at the end: no literal is in it.
    package var isOneLine: Bool {
        let (place, end) = self.lineEnd(from: 0)
        return end == .crlf && place + 2 == self.readableBytes
    }
}

/// The beginning of a server's line that the gateway cannot read, in escaped form for a person:
/// `* LIST (\\HasNoChildren) "/" M\xFCller`.
package struct UnreadableLine: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// Enough for the attributes and the name of a folder. A longer part of a line could be a part of a
    /// message, which is nobody's to read in a log.
    package static let maximumOctets = 120

    package let description: String

    /// - Parameter octets: the line, or what has come of it.
    package init(_ octets: ByteBuffer) {
        let line = octets.readableBytesView.prefix { $0 != 0x0D && $0 != 0x0A }
        var shown = line.prefix(Self.maximumOctets)
        // What a FETCH response quotes is of a message.
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
