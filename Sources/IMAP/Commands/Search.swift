import struct NIOCore.ByteBuffer

/// `SEARCH RETURN (COUNT) UNSEEN FROM bob` and its UID form (RFC 9051 §6.4.4).
package struct Search: Equatable, Sendable {
    package var isUID: Bool
    /// RETURN (RFC 4731); nil without it.
    package var returns: [SearchReturn]?
    package var charset: SearchCharset
    package var key: SearchKey

    package var hasUnsupportedCharset: Bool { self.charset == .unsupported }

    /// Capabilities that the mailbox's server must have. Without ESEARCH and CONTEXT=SEARCH the gateway
    /// works out of the numbers what RETURN asks for.
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

/// The charset of a search's strings. Only what IMAP itself uses is read: in another, octets of a
/// string could mean protocol to a server.
package enum SearchCharset: Equatable, Sendable {
    case none
    case usASCII
    case utf8
    case unsupported
}

/// One result option (RFC 4731 §3.1, RFC 5182 §2.1, RFC 5267 §4).
package enum SearchReturn: Equatable, Sendable {
    case min
    case max
    case all
    case count
    case save
    /// A hint that more searches of this kind come.
    case context
    /// A slice of the results, counted from 1.
    case partial(UInt32, UInt32)
    /// Changes are told until CANCELUPDATE; with items of new messages (RFC 5465 §7).
    case update([FetchAttribute])

    package var isUpdate: Bool {
        guard case .update = self else { return false }
        return true
    }

    /// What a server must have besides contexts (RFC 5267) to tell changes.
    package var updateNeeds: [String] {
        guard case .update(let attributes) = self else { return [] }
        return attributes.compactMap(\.requiredCapability) + (attributes.isEmpty ? [] : ["NOTIFY"])
    }

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

    /// - Returns: nil without RETURN; the space behind it is consumed.
    mutating func searchReturns() throws(SyntaxError) -> [SearchReturn]? {
        guard self.take(argumentsOf: "RETURN") else { return nil }
        let returns = try self.elements(mayBeEmpty: true) { cursor throws(SyntaxError) in
            try cursor.searchReturn()
        }
        try self.expectBlank()
        // RFC 5267 §4.4: one PARTIAL, one ALL, or neither.
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

    /// Search keys to the end of the command. Under a charset that is not read they are left
    /// unread too: the answer is the same whatever they are.
    mutating func searchProgram(_ charset: SearchCharset) throws(SyntaxError) -> SearchKey {
        guard charset != .unsupported else { return .all }
        var keys = [try self.searchKey()]
        while self.takeBlank() { keys.append(try self.searchKey()) }
        try self.expectEndOfCommand()
        return keys.count == 1 ? keys[0] : .and(keys)
    }
}
