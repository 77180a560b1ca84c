package import struct NIOCore.ByteBuffer

/// `* FLAGS (\Seen \Deleted)` (RFC 9051 §7.3.5).
///
/// Servers list keywords as users once typed them. Elements that are no flags are omitted, so that
/// they do not prevent the selection of the mailbox.
package struct FlagsResponse: Equatable, Sendable {
    /// The valid flags, as octets on the wire.
    package var flags: [ByteBuffer]

    /// Parses a whole response.
    ///
    /// - Parameter response: the response from `* ` to CR LF.
    /// - Throws: `SyntaxError` for any other form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, name: "FLAGS ")
        cursor.skipSpaces()
        self.flags = try cursor.flags { $0.endsLine }
        try cursor.expectLineEnd()
    }
}

extension Cursor {
    /// Parses a flag list and omits elements that are no flags.
    ///
    ///     "(" [flag-perm *(SP flag-perm)] ")"
    ///
    /// Seen in use: `Wichtig(alt)`, `"Zu tun"`, `Müller` in UTF-8 or Latin-1, `NIL`, two spaces, a
    /// space before the end, and `NIL` instead of the list.
    ///
    /// - Throws: `SyntaxError` if the list has no end.
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

    /// Parses a flag list that ends before something recognizable. If parentheses or quotes in
    /// keywords do not pair (`:-)`), the first parenthesis that is followed by it ends the list.
    ///
    /// - Parameter isEnd: whether the cursor is after the list, apart from spaces.
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
            // The text after an unpaired quote is part of one keyword.
            return words.split(separator: UInt8(ascii: " "))
                .prefix { $0.first != UInt8(ascii: "\"") }
                .map { ByteBuffer(bytes: $0) }.filter(\.isFlag)
        }
        throw self.error(.unexpectedEnd)
    }

    /// Whether only spaces precede the line end.
    var endsLine: Bool {
        var ahead = self
        return (try? ahead.expectLineEnd()) != nil
    }

    /// Parses one element of a flag list.
    /// - Returns: nil if it is no flag.
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
    /// Whether the octets are a flag that a server may list.
    ///
    ///     flag-perm = ["\"] atom / "\*"
    var isFlag: Bool {
        var cursor = Cursor(self)
        let isSystem = cursor.take("\\")
        if isSystem, cursor.take("*") { return cursor.isAtEnd }
        // Clients read `NIL` as "no value", even in a list.
        guard isSystem || !self.equals(word: "NIL") else { return false }
        return cursor.takeRun(where: { $0.isAtomChar }).readableBytes > 0 && cursor.isAtEnd
    }
}
