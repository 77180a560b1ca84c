import struct NIOCore.ByteBuffer

/// `SEARCH RETURN (COUNT) UNSEEN FROM bob` and its UID form (RFC 9051 §6.4.4).
package struct Search: Equatable, Sendable {
    /// Whether the result consists of UIDs.
    package var isUID: Bool
    /// The result options of RETURN (RFC 4731); nil without RETURN.
    package var returns: [SearchReturn]?
    /// The charset of the strings.
    package var charset: SearchCharset
    /// The search criteria.
    package var key: SearchKey

    /// Whether the gateway must refuse the charset.
    package var hasUnsupportedCharset: Bool { self.charset == .unsupported }

    /// The capabilities that the mailbox's server needs. Without ESEARCH and CONTEXT=SEARCH the
    /// gateway computes the result options itself.
    package var requiredCapabilities: [String] {
        self.key.requiredCapabilities.union(
            self.returns?.contains(.save) ?? false ? ["SEARCHRES"] : []
        ).sorted()
    }

    package func encode(into encoder: inout CommandEncoder) {
        encoder.write(word: self.isUID ? "UID SEARCH" : "SEARCH")
        encoder.write(returns: self.returns)
        if self.charset == .utf8 { encoder.write(word: "CHARSET UTF-8") }
        self.key.encodeTop(into: &encoder)
    }
}

/// The charset of a search. Only IMAP's own charsets are accepted: in another one, octets of a
/// string could be protocol syntax for a server.
package enum SearchCharset: Equatable, Sendable {
    case none
    case usASCII
    case utf8
    case unsupported
}

/// A result option (RFC 4731 §3.1, RFC 5182 §2.1, RFC 5267 §4).
package enum SearchReturn: Equatable, Sendable {
    case min
    case max
    case all
    case count
    case save
    /// The client will repeat similar searches.
    case context
    /// A slice of the result, counted from 1.
    case partial(UInt32, UInt32)
    /// Changes are reported until CANCELUPDATE, with items of new messages (RFC 5465 §7).
    case update([FetchAttribute])

    /// Whether it is UPDATE.
    package var isUpdate: Bool {
        guard case .update = self else { return false }
        return true
    }

    /// The capabilities that UPDATE needs in addition to CONTEXT (RFC 5267).
    package var updateNeeds: [String] {
        guard case .update(let attributes) = self else { return [] }
        return attributes.compactMap(\.requiredCapability) + (attributes.isEmpty ? [] : ["NOTIFY"])
    }

    /// Whether it is PARTIAL.
    package var isPartial: Bool {
        guard case .partial = self else { return false }
        return true
    }

    var word: StaticString {
        switch self {
        case .min: "MIN"
        case .max: "MAX"
        case .all: "ALL"
        case .count: "COUNT"
        case .save: "SAVE"
        case .context: "CONTEXT"
        case .partial: "PARTIAL"
        case .update: "UPDATE"
        }
    }
}

extension CommandEncoder {
    mutating func write(returns: [SearchReturn]?) {
        guard let returns else { return }
        self.write(word: "RETURN")
        self.open()
        for option in returns {
            self.write(word: option.word)
            switch option {
            case .partial(let first, let last):
                self.write(raw: ByteBuffer(string: "\(first):\(last)"))
            case .update(let attributes) where !attributes.isEmpty:
                self.write(attributes: attributes)
            default:
                break
            }
        }
        self.close()
    }
}

extension Cursor {
    ///     search = "SEARCH" [search-return-opts] SP search-program
    mutating func search(isUID: Bool) throws(SyntaxError) -> Search {
        let returns = try self.searchReturns()
        var charset = SearchCharset.none
        if self.take(argumentsOf: "CHARSET") {
            charset = Self.charset(try self.astring())
            try self.expectBlank()
        }
        let key = try self.searchProgram(charset)
        return Search(isUID: isUID, returns: returns, charset: charset, key: key)
    }

    /// - Returns: nil without RETURN. The space after the options is consumed.
    mutating func searchReturns() throws(SyntaxError) -> [SearchReturn]? {
        guard self.take(argumentsOf: "RETURN") else { return nil }
        let returns = try self.elements(mayBeEmpty: true) { cursor throws(SyntaxError) in
            try cursor.searchReturn()
        }
        try self.expectBlank()
        // RFC 5267 §4.4: PARTIAL and ALL exclude each other, and each occurs at most once.
        let results = returns.count { option in
            if case .partial = option { true } else { option == .all }
        }
        guard results <= 1 else { throw self.error(.expected("one of PARTIAL and ALL")) }
        return returns
    }

    private mutating func searchReturn() throws(SyntaxError) -> SearchReturn {
        switch try self.atom().uppercasedText() {
        case "MIN": return .min
        case "MAX": return .max
        case "ALL": return .all
        case "COUNT": return .count
        case "SAVE": return .save
        case "CONTEXT": return .context
        case "PARTIAL":
            try self.expectBlank()
            let first = try self.nonZeroNumber()
            try self.expect(":")
            return .partial(first, try self.nonZeroNumber())
        case "UPDATE":
            guard self.takeBlankBeforeList() else {
                return .update([])
            }
            return .update(try self.unasked())
        default: throw self.error(.expected("search result option"))
        }
    }

    ///     cancelupdate = "CANCELUPDATE" 1*(SP quoted)
    mutating func canceledUpdates() throws(SyntaxError) -> [ByteBuffer] {
        var tags = [try self.quoted()]
        while self.takeBlank() { tags.append(try self.quoted()) }
        try self.expectEndOfCommand()
        return tags
    }

    static func charset(_ name: ByteBuffer) -> SearchCharset {
        if name.equals(word: "UTF-8") { return .utf8 }
        if name.equals(word: "US-ASCII") { return .usASCII }
        return .unsupported
    }

    /// Parses the search keys up to the end of the command. With an unsupported charset they are
    /// not parsed, because the command is refused in any case.
    mutating func searchProgram(_ charset: SearchCharset) throws(SyntaxError) -> SearchKey {
        guard charset != .unsupported else { return .all }
        var keys = [try self.searchKey()]
        while self.takeBlank() { keys.append(try self.searchKey()) }
        try self.expectEndOfCommand()
        return keys.count == 1 ? keys[0] : .and(keys)
    }
}
