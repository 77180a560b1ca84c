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
        self.attributes = try cursor.wireFlags()
        try cursor.expectSpace()
        self.delimiter = try cursor.delimiter()
        try cursor.expectSpace()
        self.mailbox = try cursor.astring()
        if cursor.take(word: " (") {
            if cursor.take(word: "\"OLDNAME\" (") || cursor.take(word: "OLDNAME (") {
                self.oldName = try cursor.astring()
                try cursor.expect(")")
            }
            try cursor.skipToClose()
        }
        try cursor.expectLineEnd()
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
