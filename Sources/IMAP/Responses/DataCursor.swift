import struct NIOCore.ByteBuffer

/// What several data responses have in common.
extension Cursor {
    /// A cursor behind `* ` and the name of the data.
    init(data response: ByteBuffer, _ name: StaticString) throws(SyntaxError) {
        self.init(response)
        guard self.take(word: "* "), self.take(word: name) else {
            throw self.error(.expected("data"))
        }
    }

    /// A hierarchy delimiter; nil where there is no hierarchy.
    ///
    ///     DQUOTE QUOTED-CHAR DQUOTE / nil
    ///
    /// - Throws: also for an octet that names in modified UTF-7 are made of, or a wildcard: with
    ///   such a delimiter a name falls into other parts than the server's.
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

    /// Skips the rest of a list whose opening parenthesis is consumed, however deep.
    ///
    /// It counts; nothing recurses.
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
