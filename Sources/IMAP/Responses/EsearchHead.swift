package import struct NIOCore.ByteBuffer

/// The head of `* ESEARCH (TAG "a3") UID COUNT 2`, which identifies the command (RFC 4731 §3.1).
package struct EsearchHead: Equatable, Sendable {
    /// The tag of the command; nil without a correlator.
    package var tag: ByteBuffer?
    /// The offset of the octet after the correlator: a space or the line end.
    package var restOffset: Int

    /// Parses the head of a response.
    ///
    ///     esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
    ///     search-correlator = SP "(" "TAG" SP tag-string ")"
    ///
    /// - Parameter piece: the first piece of the response.
    /// - Throws: `SyntaxError` for any other form.
    package init(_ piece: ByteBuffer) throws(SyntaxError) {
        var cursor = try Cursor(data: piece, name: "ESEARCH")
        var ahead = cursor
        ahead.skipSpaces()
        if ahead.take(word: "(TAG ") {
            ahead.skipSpaces()
            // An astring (RFC 9051 §9), formerly a string (RFC 4466 §2.6.2).
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
