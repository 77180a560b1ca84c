package import struct NIOCore.ByteBuffer

/// `* LIST (\HasChildren) "/" Akten`; also LSUB (RFC 9051 §7.3.1).
package struct ListResponse: Equatable, Sendable {
    /// The attributes, as octets on the wire.
    package var attributes: [ByteBuffer]
    /// The hierarchy delimiter; nil for a flat name.
    package var delimiter: UInt8?
    /// The name, as octets on the wire without quotes.
    package var mailbox: ByteBuffer
    /// The values of CHILDINFO (RFC 5258 §4).
    package var childInfo: [StaticText] = []
    /// The name before a RENAME, as octets on the wire (RFC 5465 §5.4).
    package var oldName: ByteBuffer?

    package init(attributes: [ByteBuffer], delimiter: UInt8?, mailbox: ByteBuffer) {
        self.attributes = attributes
        self.delimiter = delimiter
        self.mailbox = mailbox
    }

    /// Parses a whole response. Of the extended data only OLDNAME is read.
    ///
    ///     mailbox-list = "(" [mbx-list-flags] ")" SP
    ///         (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
    ///
    /// - Parameter response: the response from `* ` to CR LF.
    /// - Throws: `SyntaxError` for any other form. A name with forbidden octets is refused, not
    ///   truncated: the part before them may be the name of another mailbox.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = Cursor(response)
        guard cursor.take(word: "* LIST ") || cursor.take(word: "* LSUB ") else {
            throw cursor.error(.expected("LIST"))
        }
        cursor.skipSpaces()
        self.attributes = try cursor.listAttributes()
        try cursor.expectSpaces()
        self.delimiter = try cursor.delimiter()
        try cursor.expectSpaces()
        self.mailbox = try cursor.astring()
        if cursor.takeExtendedData() { try self.readExtendedData(&cursor) }
        try cursor.expectLineEnd()
    }

    /// Parses extended data after a name. Other text is refused, because it may belong to the name:
    /// `Akten (alt)`.
    ///
    ///     mbox-list-extended = "(" [mbox-list-extended-item *(SP mbox-list-extended-item)] ")"
    ///     mbox-list-extended-item = mbox-list-extended-item-tag SP tagged-ext-val
    ///
    /// All registered values are parenthesized lists.
    private mutating func readExtendedData(_ cursor: inout Cursor) throws(SyntaxError) {
        cursor.skipSpaces()
        while !cursor.take(")") {
            let tag = try cursor.astring()
            try cursor.expectSpaces()
            try cursor.expect("(")
            if tag.equals(word: "OLDNAME") { self.oldName = try cursor.astring() }
            try cursor.skipToClose()
            guard cursor.peek() != UInt8(ascii: ")") else { continue }
            try cursor.expectSpaces()
        }
    }

    /// The response on the wire.
    package func encoded(isLsub: Bool) -> ByteBuffer {
        var line = ByteBuffer()
        line.writeStaticString(isLsub ? "* LSUB " : "* LIST ")
        line.writeFlags(self.attributes)
        line.writeStaticString(" ")
        line.writeDelimiter(self.delimiter)
        line.writeStaticString(" ")
        line.writeAstring(self.mailbox)
        if !self.childInfo.isEmpty {
            line.writeStaticString(" (\"CHILDINFO\" (")
            for (index, value) in self.childInfo.enumerated() {
                line.writeString(index == 0 ? "\"\(value)\"" : " \"\(value)\"")
            }
            line.writeStaticString("))")
        }
        line.writeStaticString("\r\n")
        return line
    }
}

extension Cursor {
    /// Parses the attributes of a name, strictly: a misread attribute could make a name selectable
    /// that is not.
    ///
    ///     mbx-list-flags = *(mbx-list-oflag SP) mbx-list-sflag *(SP mbx-list-oflag)
    fileprivate mutating func listAttributes() throws(SyntaxError) -> [ByteBuffer] {
        try self.spacedList { cursor throws(SyntaxError) in
            let attribute = cursor.takeRun {
                $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: ")")
                    && $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: "\"")
            }
            guard attribute.readableBytes > 0 else { throw cursor.error(.expected("attribute")) }
            return attribute
        }
    }

    /// Consumes the start of extended data after a name.
    ///
    ///     SP mbox-list-extended
    fileprivate mutating func takeExtendedData() -> Bool {
        var ahead = self
        guard ahead.take(" ") else { return false }
        ahead.skipSpaces()
        guard ahead.take("(") else { return false }
        self = ahead
        return true
    }
}
