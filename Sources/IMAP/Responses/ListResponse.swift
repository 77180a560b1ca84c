package import struct NIOCore.ByteBuffer

/// `* LIST (\HasChildren) "/" Akten` and LSUB alike (RFC 9051 §7.3.1).
package struct ListResponse: Equatable, Sendable {
    /// Wire octets.
    package var attributes: [ByteBuffer]
    package var delimiter: UInt8?
    /// Wire octets, neither quoted nor a literal.
    package var mailbox: ByteBuffer
    /// Values of CHILDINFO (RFC 5258 §4).
    package var childInfo: [StaticText] = []
    /// The name before a RENAME, wire octets (RFC 5465 §5.4).
    package var oldName: ByteBuffer?

    package init(attributes: [ByteBuffer], delimiter: UInt8?, mailbox: ByteBuffer) {
        self.attributes = attributes
        self.delimiter = delimiter
        self.mailbox = mailbox
    }

    /// Reads a whole response; of extended data only OLDNAME is read.
    ///
    ///     mailbox-list = "(" [mbx-list-flags] ")" SP
    ///         (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
    ///
    /// - Parameter response: with `* ` and CR LF.
    /// - Throws: what is not of this form. A name with octets that it may not have is refused, not
    ///   cut short: what is before them may be the name of another mailbox.
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

    /// Data behind a name. What has another form is a part of the name: `Akten (alt)`.
    ///
    ///     mbox-list-extended = "(" [mbox-list-extended-item *(SP mbox-list-extended-item)] ")"
    ///     mbox-list-extended-item = mbox-list-extended-item-tag SP tagged-ext-val
    ///
    /// Every value that is registered is a list in parentheses.
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
    /// The attributes of a name. They are no place for tolerance: one that is misread makes a mailbox
    /// of a name that is none.
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

    /// The beginning of extended data behind a name.
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
