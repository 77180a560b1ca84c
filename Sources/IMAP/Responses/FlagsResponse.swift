package import struct NIOCore.ByteBuffer

/// `* FLAGS (\Seen \Deleted)` (RFC 9051 §7.3.5).
///
/// Keywords are what somebody once typed into a mail program, and servers list them as they were
/// typed: what is no flag is left out, and keeps nobody from the mailbox.
package struct FlagsResponse: Equatable, Sendable {
    /// Wire octets; without those that are no flags.
    package var flags: [ByteBuffer]

    /// Reads a whole response.
    ///
    /// - Parameter response: with `* ` and CR LF.
    /// - Throws: what is not of this form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "FLAGS ")
        cursor.skipSpaces()
        self.flags = try cursor.flags { $0.endsLine }
        try cursor.expectLineEnd()
    }
}

extension Cursor {
    /// The flags of a list, without what is no flag.
    ///
    ///     "(" [flag-perm *(SP flag-perm)] ")"
    ///
    /// Met: `Wichtig(alt)`, `"Zu tun"`, `Müller` in UTF-8 or Latin-1, `NIL`, two spaces, a space before
    /// the end, and `NIL` in place of the list.
    ///
    /// - Throws: where the list has no end.
    mutating func wireFlags() throws(SyntaxError) -> [ByteBuffer] {
        if self.take(word: "NIL") { return [] }
        try self.expect("(")
        var flags: [ByteBuffer] = []
        while true {
            self.skipSpaces()
            if self.take(")") { return flags }
            if let flag = try self.wireFlag() { flags.append(flag) }
        }
    }

    /// The flags of a list behind which something certain stands. Where parentheses or quotes in
    /// keywords do not pair (`:-)`), the last parenthesis before that ends the list.
    ///
    /// - Parameter isEnd: whether the cursor stands behind the list, spaces aside.
    mutating func flags(upTo isEnd: (Cursor) -> Bool) throws(SyntaxError) -> [ByteBuffer] {
        var ahead = self
        if let flags = try? ahead.wireFlags(), isEnd(ahead) {
            self = ahead
            return flags
        }
        try self.expect("(")
        let list = self.buffer
        let start = self.offset
        while !self.isAtEnd {
            let length = self.offset - start
            guard self.take(")") else {
                self.advance()
                continue
            }
            guard isEnd(self) else { continue }
            let words = list.readableBytesView.prefix(length)
            // What follows a quote without an end is one keyword with it.
            return words.split(separator: UInt8(ascii: " "))
                .prefix { $0.first != UInt8(ascii: "\"") }
                .map { ByteBuffer(bytes: $0) }.filter(\.isFlag)
        }
        throw self.error(.unexpectedEnd)
    }

    /// Whether only spaces stand before the line's end.
    var endsLine: Bool {
        var ahead = self
        return (try? ahead.expectLineEnd()) != nil
    }

    /// One element of a list of flags.
    /// - Returns: nil for what is no flag.
    private mutating func wireFlag() throws(SyntaxError) -> ByteBuffer? {
        let element = self.buffer
        let start = self.offset
        var depth = 0
        while let octet = self.peek() {
            switch octet {
            case UInt8(ascii: " ") where depth == 0, UInt8(ascii: ")") where depth == 0:
                let flag = element.getSlice(
                    at: element.readerIndex,
                    length: self.offset - start
                )
                return flag.flatMap { $0.isFlag ? $0 : nil }
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "\"") where self.offset == start:
                _ = try self.quoted()
                continue
            case 0x0D, 0x0A: throw self.error(.unexpectedEnd)
            default: break
            }
            self.advance()
        }
        throw self.error(.unexpectedEnd)
    }
}

extension ByteBuffer {
    /// Whether the readable octets are a flag as a server may list it.
    ///
    ///     flag-perm = ["\"] atom / "\*"
    var isFlag: Bool {
        var cursor = Cursor(self)
        let isSystem = cursor.take("\\")
        if isSystem, cursor.take("*") { return cursor.isAtEnd }
        // Clients read the word as no value, also in a list.
        guard isSystem || !self.equals(word: "NIL") else { return false }
        return cursor.takeRun(where: { $0.isAtomChar }).readableBytes > 0 && cursor.isAtEnd
    }
}
