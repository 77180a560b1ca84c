package import struct NIOCore.ByteBuffer

/// Gives items of a FETCH response the names under which the client asked for them.
///
/// A client that asked RFC822 or RFC822.TEXT without the right to set `\Seen` is answered from
/// BODY.PEEK[] and BODY.PEEK[TEXT]; the response then says `BODY[]` where the client waits for
/// `RFC822`. Only names at the level of items are changed: nothing in a string, in a list inside
/// the response, or in a value, and not `BODY[]<0>`, which was asked for under this name.
package struct FetchItemRenamer {
    private static let names: [([UInt8], [UInt8])] = [
        (Array("BODY[]".utf8), Array("RFC822".utf8)),
        (Array("BODY[TEXT]".utf8), Array("RFC822.TEXT".utf8)),
    ]
    /// The longest name that is looked for.
    private static let maximumNameOctets = 10

    private var depth = 0
    private var isQuoted = false
    private var isEscaped = false
    /// Octets of a word at the level of items that may still become a name.
    private var word: [UInt8] = []
    private var isWordTooLong = false

    package init() {}

    /// - Parameter octets: the next piece of a line, from the response's start.
    /// - Returns: the same with its names changed; an unfinished word is held back until the next.
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
