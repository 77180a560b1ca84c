package import struct NIOCore.ByteBuffer

/// A filter that renames items of a FETCH response to the names that the client requested.
///
/// For a client without the right to set `\Seen`, RFC822 and RFC822.TEXT are fetched as BODY.PEEK[]
/// and BODY.PEEK[TEXT], so the response says `BODY[]` where the client expects `RFC822`. Only names
/// at item level are changed: no strings, no nested lists, no values, and not `BODY[]<0>`, which
/// the client requested under this name.
package struct FetchItemRenamer {
    private static let names: [([UInt8], [UInt8])] = [
        (Array("BODY[]".utf8), Array("RFC822".utf8)),
        (Array("BODY[TEXT]".utf8), Array("RFC822.TEXT".utf8)),
    ]
    /// The longest name to replace, in octets.
    private static let maximumNameOctets = 10

    private var depth = 0
    private var isQuoted = false
    private var isEscaped = false
    /// The octets of a word at item level that may become a name.
    private var word: [UInt8] = []
    private var isWordTooLong = false

    package init() {}

    /// Renames items in the next piece of a response.
    /// - Parameter octets: a piece of a line, the first one from the response's start.
    /// - Returns: the piece with new names; an unfinished word is held back until the next piece.
    package mutating func rename(_ octets: ByteBuffer) -> ByteBuffer {
        var renamed = ByteBuffer()
        renamed.reserveCapacity(octets.readableBytes + 8)
        for octet in octets.readableBytesView { self.take(octet, into: &renamed) }
        return renamed
    }

    private mutating func take(_ octet: UInt8, into renamed: inout ByteBuffer) {
        if self.isQuoted {
            if self.isEscaped {
                self.isEscaped = false
            } else if octet == UInt8(ascii: "\\") {
                self.isEscaped = true
            } else if octet == UInt8(ascii: "\"") {
                self.isQuoted = false
            }
            renamed.writeInteger(octet)
            return
        }
        switch octet {
        case UInt8(ascii: "\""):
            self.endWord(into: &renamed)
            self.isQuoted = true
        case UInt8(ascii: "("):
            self.endWord(into: &renamed)
            self.depth += 1
        case UInt8(ascii: ")"):
            self.endWord(into: &renamed)
            self.depth -= 1
        case UInt8(ascii: " "), UInt8(ascii: "{"), 0x0D, 0x0A:
            self.endWord(into: &renamed)
        default:
            if self.depth == 1, !self.isWordTooLong {
                self.word.append(octet)
                if self.word.count > Self.maximumNameOctets {
                    self.isWordTooLong = true
                    renamed.writeBytes(self.word)
                    self.word = []
                }
                return
            }
        }
        renamed.writeInteger(octet)
    }

    private mutating func endWord(into renamed: inout ByteBuffer) {
        let name = Self.names.first { $0.0 == self.word.map(\.asciiUppercased) }
        renamed.writeBytes(name?.1 ?? self.word)
        self.word = []
        self.isWordTooLong = false
    }
}
