import struct NIOCore.ByteBuffer

/// Parsing that several data responses share.
extension Cursor {
    /// A cursor after `* ` and the name of the data.
    init(data response: ByteBuffer, name: StaticString) throws(SyntaxError) {
        self.init(response)
        guard self.take(word: "* "), self.take(word: name) else {
            throw self.error(.expected("data"))
        }
    }

    /// Parses a hierarchy delimiter; nil if the server has no hierarchy.
    ///
    ///     DQUOTE QUOTED-CHAR DQUOTE / nil
    ///
    /// - Throws: also for a wildcard, and for octets of modified UTF-7: with such a delimiter the
    ///   gateway would split names differently from the server.
    mutating func delimiter() throws(SyntaxError) -> UInt8? {
        if self.take(word: "NIL") { return nil }
        var text = try self.quoted()
        guard text.readableBytes == 1, let octet: UInt8 = text.readInteger(),
            octet > 0x20, octet < 0x7F, !octet.isAlphanumeric
        else { throw self.error(.expected("delimiter")) }
        switch octet {
        case UInt8(ascii: "&"), UInt8(ascii: "*"), UInt8(ascii: "%"), UInt8(ascii: "\""):
            throw self.error(.expected("delimiter"))
        default:
            return octet
        }
    }

    /// Skips the rest of a list after its opening parenthesis, at any depth.
    ///
    /// It counts parentheses instead of recursing.
    mutating func skipToClose() throws(SyntaxError) {
        var depth = 1
        while depth > 0 {
            switch self.peek() {
            case UInt8(ascii: "("):
                depth += 1
                self.advance()
            case UInt8(ascii: ")"):
                depth -= 1
                self.advance()
            case UInt8(ascii: "\""), UInt8(ascii: "{"):
                _ = try self.string()
            case .some:
                self.advance()
            case .none:
                throw self.error(.unexpectedEnd)
            }
        }
    }
}

extension UInt8 {
    fileprivate var isAlphanumeric: Bool {
        let upper = self.asciiUppercased
        return self.isDigit || upper >= UInt8(ascii: "A") && upper <= UInt8(ascii: "Z")
    }
}
