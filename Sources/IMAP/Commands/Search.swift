import struct NIOCore.ByteBuffer

/// `SEARCH RETURN (COUNT) UNSEEN FROM bob` and its UID form (RFC 9051 §6.4.4).
package struct Search: Equatable, Sendable {
    package var isUID: Bool
    /// RETURN (RFC 4731); nil without it.
    package var returns: [SearchReturn]?
    package var charset: SearchCharset
    package var key: SearchKey

    package var hasUnsupportedCharset: Bool { self.charset == .unsupported }

    package var needs: [String] {
        var needs = self.key.needs
        if let returns { needs.formUnion(["ESEARCH"] + returns.compactMap(\.needs)) }
        return needs.sorted()
    }

    package func encode(into encoder: inout CommandEncoder) {
        encoder.write(word: self.isUID ? "UID SEARCH" : "SEARCH")
        encoder.write(returns: self.returns)
        if self.charset == .utf8 { encoder.write(word: "CHARSET UTF-8") }
        self.key.encodeTop(into: &encoder)
    }
}

/// The charset of a search's strings. Only what IMAP itself uses is read: in another, octets of a
/// string could mean protocol to a server.
package enum SearchCharset: Equatable, Sendable {
    case none
    case usASCII
    case utf8
    case unsupported
}

/// One result option (RFC 4731 §3.1, RFC 5182 §2.1).
package enum SearchReturn: Equatable, Sendable {
    case min
    case max
    case all
    case count
    case save

    var needs: String? { self == .save ? "SEARCHRES" : nil }

    var word: StaticString {
        switch self {
        case .min: "MIN"
        case .max: "MAX"
        case .all: "ALL"
        case .count: "COUNT"
        case .save: "SAVE"
        }
    }
}

extension CommandEncoder {
    mutating func write(returns: [SearchReturn]?) {
        guard let returns else { return }
        self.write(word: "RETURN")
        self.open()
        for option in returns { self.write(word: option.word) }
        self.close()
    }
}

extension Cursor {
    ///     search = "SEARCH" [search-return-opts] SP search-program
    mutating func search(isUID: Bool) throws(SyntaxError) -> Search {
        let returns = try self.searchReturns()
        var charset = SearchCharset.none
        if self.take(word: "CHARSET ") {
            charset = Self.charset(try self.astring())
            try self.expectSpace()
        }
        let key = try self.searchProgram(charset)
        return Search(isUID: isUID, returns: returns, charset: charset, key: key)
    }

    /// - Returns: nil without RETURN; the space behind it is consumed.
    mutating func searchReturns() throws(SyntaxError) -> [SearchReturn]? {
        guard self.take(word: "RETURN ") else { return nil }
        let returns = try self.list(mayBeEmpty: true) { cursor throws(SyntaxError) in
            try cursor.searchReturn()
        }
        try self.expectSpace()
        return returns
    }

    private mutating func searchReturn() throws(SyntaxError) -> SearchReturn {
        switch try self.atom().uppercasedText() {
        case "MIN": return .min
        case "MAX": return .max
        case "ALL": return .all
        case "COUNT": return .count
        case "SAVE": return .save
        default: throw self.error(.expected("search result option"))
        }
    }

    static func charset(_ name: ByteBuffer) -> SearchCharset {
        if name.equals(word: "UTF-8") { return .utf8 }
        if name.equals(word: "US-ASCII") { return .usASCII }
        return .unsupported
    }

    /// Search keys to the end of the command. Under a charset that is not read they are left
    /// unread too: the answer is the same whatever they are.
    mutating func searchProgram(_ charset: SearchCharset) throws(SyntaxError) -> SearchKey {
        guard charset != .unsupported else { return .all }
        var keys = [try self.searchKey()]
        while self.take(" ") { keys.append(try self.searchKey()) }
        try self.expectEnd()
        return keys.count == 1 ? keys[0] : .and(keys)
    }
}
