package import struct NIOCore.ByteBuffer

/// `* FLAGS (\Seen \Deleted)` (RFC 9051 §7.3.5).
package struct FlagsResponse: Equatable, Sendable {
    /// Wire octets; without those that are no flags.
    package var flags: [ByteBuffer]

    /// Reads a whole response.
    ///
    /// - Parameter response: with `* ` and CR LF.
    /// - Throws: what is not of this form.
    package init(_ response: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: response, "FLAGS ")
        self.flags = try cursor.wireFlags().filter(\.isFlag)
        try cursor.expectLineEnd()
    }
}

extension Cursor {
    /// A list of flags.
    ///
    ///     "(" [flag-perm *(SP flag-perm)] ")"
    ///
    /// More than atoms is read: keywords with brackets are met. Whoever writes the flags for a
    /// client takes those that are flags (``ByteBuffer/isFlag``).
    mutating func wireFlags() throws(SyntaxError) -> [ByteBuffer] {
        try self.list(mayBeEmpty: true) { cursor throws(SyntaxError) in
            let flag = cursor.takeRun {
                $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: ")")
                    && $0 != UInt8(ascii: "{") && $0 != UInt8(ascii: "\"")
            }
            guard flag.readableBytes > 0 else { throw cursor.error(.expected("flag")) }
            return flag
        }
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
        return cursor.takeRun(where: { $0.isAtomChar }).readableBytes > 0 && cursor.isAtEnd
    }
}
