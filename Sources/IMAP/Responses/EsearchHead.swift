package import struct NIOCore.ByteBuffer

/// The beginning of `* ESEARCH (TAG "a3") UID COUNT 2`: whose answer it is (RFC 4731 §3.1).
package struct EsearchHead: Equatable, Sendable {
    package var tag: ByteBuffer?
    /// Octets before what follows the correlator: a space or the line's end.
    package var restOffset: Int

    /// Reads the beginning of a response.
    ///
    ///     esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
    ///     search-correlator = SP "(" "TAG" SP tag-string ")"
    ///
    /// - Parameter piece: the response's first piece.
    /// - Throws: what is not of this form.
    package init(_ piece: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: piece, "ESEARCH")
        var ahead = cursor
        ahead.skipSpaces()
        if ahead.take(word: "(TAG ") {
            ahead.skipSpaces()
            // RFC 9051 §9 makes an astring of what was a string in RFC 4466 §2.6.2.
            self.tag = try ahead.astring()
            ahead.skipSpaces()
            try ahead.expect(")")
            cursor = ahead
        }
        self.restOffset = cursor.offset
        guard cursor.peek() == UInt8(ascii: " ") || cursor.peek() == 0x0D else {
            throw cursor.error(.expected("space"))
        }
    }
}
