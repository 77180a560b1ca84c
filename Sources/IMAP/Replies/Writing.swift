import struct NIOCore.ByteBuffer

extension ByteBuffer {
    /// Writes a flag list.
    ///
    ///     "(" [flag *(SP flag)] ")"
    mutating func writeFlags(_ flags: [ByteBuffer]) {
        self.writeStaticString("(")
        for (index, flag) in flags.enumerated() {
            if index > 0 { self.writeStaticString(" ") }
            self.writeImmutableBuffer(flag)
        }
        self.writeStaticString(")")
    }

    /// Writes a hierarchy delimiter, or `NIL`.
    mutating func writeDelimiter(_ delimiter: UInt8?) {
        guard let delimiter else {
            self.writeStaticString("NIL")
            return
        }
        self.writeStaticString("\"")
        if delimiter == UInt8(ascii: "\\") || delimiter == UInt8(ascii: "\"") {
            self.writeStaticString("\\")
        }
        self.writeInteger(delimiter)
        self.writeStaticString("\"")
    }

    /// Writes an atom if possible, else a string. `NIL` is not an atom.
    ///
    ///     astring = 1*ASTRING-CHAR / string
    mutating func writeAstring(_ octets: ByteBuffer) {
        let isAtom = octets.readableBytesView.allSatisfy { $0.isAtomChar }
        guard isAtom, octets.readableBytes > 0, !octets.equals(word: "NIL") else {
            return self.writeQuotedOrLiteral(octets)
        }
        self.writeImmutableBuffer(octets)
    }

    /// Writes a quoted string if all octets are printable ASCII, else a literal.
    ///
    ///     string = quoted / literal
    mutating func writeQuotedOrLiteral(_ octets: ByteBuffer) {
        let view = octets.readableBytesView
        guard view.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            self.writeString("{\(octets.readableBytes)}\r\n")
            self.writeImmutableBuffer(octets)
            return
        }
        self.writeStaticString("\"")
        for octet in view {
            if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
                self.writeStaticString("\\")
            }
            self.writeInteger(octet)
        }
        self.writeStaticString("\"")
    }
}
