package import struct NIOCore.ByteBuffer

/// A mailbox name in the form that the gateway compares: UTF-8 octets with `/` as delimiter. A
/// first component INBOX is in upper case (RFC 9051 §5.1).
package struct MailboxName: Hashable, Sendable {
    package static let inbox = Array("INBOX".utf8)
    /// The gateway's hierarchy delimiter.
    package static let delimiter = UInt8(ascii: "/")
    /// The longest name, in octets: no client shows a longer one, and each name is matched against
    /// patterns and scopes.
    package static let maximumOctets = 2_048

    /// The UTF-8 octets.
    package let octets: [UInt8]

    /// - Parameter octets: the decoded name.
    package init(_ octets: [UInt8]) {
        let first = octets.prefix { $0 != Self.delimiter }
        if first.map(\.asciiUppercased) == Self.inbox {
            self.octets = Self.inbox + octets.dropFirst(first.count)
        } else {
            self.octets = octets
        }
    }

    /// The name without a delimiter at its end, which CREATE may have (RFC 9051 §6.3.4).
    package var withoutTrailing: MailboxName {
        self.octets.last == Self.delimiter ? MailboxName(Array(self.octets.dropLast())) : self
    }
}

/// A mailbox name in a client's command.
package struct ClientMailbox: Equatable, Sendable {
    /// The octets on the wire, without quotes.
    package let wire: ByteBuffer
    /// The decoded name; nil if no mailbox can have it.
    package let name: MailboxName?

    package init(wire: ByteBuffer) {
        self.wire = wire
        let octets = Array(wire.readableBytesView)
        guard !octets.isEmpty, octets.count <= MailboxName.maximumOctets,
            let decoded = ModifiedUTF7.decode(octets),
            decoded.allSatisfy({ !$0.isControl }), !Self.hasC1Control(decoded)
        else {
            self.name = nil
            return
        }
        self.name = MailboxName(decoded)
    }

    /// Whether the name contains U+0080…U+009F, U+2028 or U+2029 (RFC 6855 §3).
    private static func hasC1Control(_ octets: [UInt8]) -> Bool {
        for scalar in String(decoding: octets, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x80...0x9F, 0x2028, 0x2029: return true
            default: continue
            }
        }
        return false
    }
}

extension Cursor {
    ///     mailbox = "INBOX" / astring
    package mutating func mailbox() throws(SyntaxError) -> ClientMailbox {
        ClientMailbox(wire: try self.asciiAstring())
    }

    /// An astring. Eight-bit octets outside a literal are a syntax error. In a literal they form a
    /// name that no mailbox can have.
    package mutating func asciiAstring() throws(SyntaxError) -> ByteBuffer {
        let isLiteral = self.peek() == UInt8(ascii: "{")
        let value = try self.astring()
        guard isLiteral || value.readableBytesView.allSatisfy({ $0 < 0x80 }) else {
            throw self.error(.controlOctet)
        }
        return value
    }
}
