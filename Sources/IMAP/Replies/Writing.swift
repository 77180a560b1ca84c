import struct NIOCore.ByteBuffer

extension ByteBuffer {
    ///     "(" [flag *(SP flag)] ")"
    mutating func writeFlags(_ flags: [ByteBuffer]) {
        self.writeStaticString("(")
        for (index, flag) in flags.enumerated() {
            if index > 0 { self.writeStaticString(" ") }
            self.writeImmutableBuffer(flag)
        }
        self.writeStaticString(")")
    }

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

    /// An atom where it can be one, a quoted string where that is printable, else a literal.
    mutating func writeAstring(_ octets: ByteBuffer) {
        let view = octets.readableBytesView
        if octets.readableBytes > 0, view.allSatisfy(\.isAtomChar), !octets.equals(word: "NIL") {
            self.writeImmutableBuffer(octets)
        } else if view.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
            self.writeStaticString("\"")
            for octet in view {
                if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") {
                    self.writeStaticString("\\")
                }
                self.writeInteger(octet)
            }
            self.writeStaticString("\"")
        } else {
            self.writeString("{\(octets.readableBytes)}\r\n")
            self.writeImmutableBuffer(octets)
        }
    }
}
