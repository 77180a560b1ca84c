package import struct NIOCore.ByteBuffer

/// A search key (RFC 9051 §6.4.4).
package indirect enum SearchKey: Equatable, Sendable {
    case all
    /// A key without arguments, in the protocol's spelling.
    case word(StaticText)
    /// A key with a string argument.
    case string(StaticText, ByteBuffer)
    case header(ByteBuffer, ByteBuffer)
    /// A key with a date argument, in the grammar's spelling.
    case date(StaticText, ByteBuffer)
    case number(StaticText, UInt64)
    case keyword(ByteBuffer, isSet: Bool)
    case sequence(SequenceSet)
    case uid(SequenceSet)
    case modSeq(UInt64, of: ModSeqEntry?)
    case objectID(StaticText, ByteBuffer)
    case not(SearchKey)
    case or(SearchKey, SearchKey)
    case and([SearchKey])

    /// The capabilities that the server needs for the key.
    var requiredCapabilities: Set<String> {
        switch self {
        case .number(let name, _) where name == "OLDER" || name == "YOUNGER": ["WITHIN"]
        case .modSeq: ["CONDSTORE"]
        case .objectID: ["OBJECTID"]
        case .date(let name, _) where name.description.hasPrefix("SAVED"): ["SAVEDATE"]
        case .word(let name) where name == "SAVEDATESUPPORTED": ["SAVEDATE"]
        case .sequence(let set), .uid(let set): set.isSavedResult ? ["SEARCHRES"] : []
        case .not(let key): key.requiredCapabilities
        case .or(let one, let other): one.requiredCapabilities.union(other.requiredCapabilities)
        case .and(let keys): keys.reduce(into: []) { $0.formUnion($1.requiredCapabilities) }
        case .all, .word, .string, .header, .date, .number, .keyword: []
        }
    }

    /// Encodes the key as a whole search program: an AND needs no parentheses there.
    func encodeTop(into encoder: inout CommandEncoder) {
        guard case .and(let keys) = self else { return self.encode(into: &encoder) }
        for key in keys { key.encode(into: &encoder) }
    }

    func encode(into encoder: inout CommandEncoder) {
        switch self {
        case .all:
            encoder.write(word: "ALL")
        case .word(let name):
            encoder.write(name)
        case .string(let name, let value):
            encoder.write(name)
            encoder.write(astring: value)
        case .header(let name, let value):
            encoder.write(word: "HEADER")
            encoder.write(astring: name)
            encoder.write(astring: value)
        case .date(let name, let date):
            encoder.write(name)
            encoder.write(raw: date)
        case .number(let name, let number):
            encoder.write(name)
            encoder.write(number: number)
        case .keyword(let keyword, let isSet):
            encoder.write(word: isSet ? "KEYWORD" : "UNKEYWORD")
            encoder.write(raw: keyword)
        case .sequence(let set):
            set.encode(into: &encoder)
        case .uid(let set):
            encoder.write(word: "UID")
            set.encode(into: &encoder)
        case .modSeq(let value, let entry):
            encoder.write(word: "MODSEQ")
            entry?.encode(into: &encoder)
            encoder.write(number: value)
        case .objectID(let name, let value):
            encoder.write(name)
            encoder.write(raw: value)
        case .not, .or, .and:
            self.encodeCompound(into: &encoder)
        }
    }

    private func encodeCompound(into encoder: inout CommandEncoder) {
        switch self {
        case .not(let key):
            encoder.write(word: "NOT")
            key.encode(into: &encoder)
        case .or(let one, let other):
            encoder.write(word: "OR")
            one.encode(into: &encoder)
            other.encode(into: &encoder)
        case .and(let keys):
            encoder.open()
            for key in keys { key.encode(into: &encoder) }
            encoder.close()
        default:
            break
        }
    }
}

extension CommandEncoder {
    fileprivate mutating func write(_ text: StaticText) {
        self.write(raw: ByteBuffer(string: text.description))
    }
}

extension Cursor {
    private static let words: [String: StaticText] = [
        "ANSWERED": "ANSWERED", "DELETED": "DELETED", "DRAFT": "DRAFT", "FLAGGED": "FLAGGED",
        "NEW": "NEW", "OLD": "OLD", "RECENT": "RECENT", "SEEN": "SEEN",
        "UNANSWERED": "UNANSWERED", "UNDELETED": "UNDELETED", "UNDRAFT": "UNDRAFT",
        "UNFLAGGED": "UNFLAGGED", "UNSEEN": "UNSEEN", "SAVEDATESUPPORTED": "SAVEDATESUPPORTED",
    ]
    private static let strings: [String: StaticText] = [
        "BCC": "BCC", "BODY": "BODY", "CC": "CC", "FROM": "FROM", "SUBJECT": "SUBJECT",
        "TEXT": "TEXT", "TO": "TO",
    ]
    private static let dates: [String: StaticText] = [
        "BEFORE": "BEFORE", "ON": "ON", "SINCE": "SINCE", "SENTBEFORE": "SENTBEFORE",
        "SENTON": "SENTON", "SENTSINCE": "SENTSINCE", "SAVEDBEFORE": "SAVEDBEFORE",
        "SAVEDON": "SAVEDON", "SAVEDSINCE": "SAVEDSINCE",
    ]
    private static let numbers: [String: StaticText] = [
        "LARGER": "LARGER", "SMALLER": "SMALLER", "OLDER": "OLDER", "YOUNGER": "YOUNGER",
    ]

    /// The most search keys of one command: a client needs a few dozen, and each takes many times
    /// its octets in memory.
    private static let maximumSearchKeys = 5_000

    ///     search-key = "ALL" / "ANSWERED" / … / "(" search-key *(SP search-key) ")"
    mutating func searchKey() throws(SyntaxError) -> SearchKey {
        self.searchKeys += 1
        guard self.searchKeys <= Self.maximumSearchKeys else { throw self.error(.commandTooLarge) }
        switch self.peek() {
        case UInt8(ascii: "("):
            let keys = try self.elements(atMost: Self.maximumSearchKeys) {
                cursor throws(SyntaxError) in
                try cursor.searchKey()
            }
            return .and(keys)
        case .some(let octet) where octet.isDigit:
            return .sequence(try self.sequenceSet())
        case UInt8(ascii: "*"), UInt8(ascii: "$"):
            return .sequence(try self.sequenceSet())
        default:
            return try self.namedKey(try self.atom().uppercasedText())
        }
    }

    private mutating func namedKey(_ name: String) throws(SyntaxError) -> SearchKey {
        if let word = Self.words[name] { return .word(word) }
        if name == "ALL" { return .all }
        try self.expectBlank()
        if let string = Self.strings[name] { return .string(string, try self.astring()) }
        if let date = Self.dates[name] { return .date(date, try self.date()) }
        if let number = Self.numbers[name] { return .number(number, try self.number64()) }
        switch name {
        case "HEADER":
            let field = try self.astring()
            try self.expectBlank()
            return .header(field, try self.astring())
        case "KEYWORD": return .keyword(try self.atom(), isSet: true)
        case "UNKEYWORD": return .keyword(try self.atom(), isSet: false)
        case "UID": return .uid(try self.sequenceSet())
        case "MODSEQ":
            let entry = try self.modSeqEntry()
            return .modSeq(try self.number64(), of: entry)
        case "EMAILID": return .objectID("EMAILID", try self.objectID())
        case "THREADID": return .objectID("THREADID", try self.objectID())
        case "NOT":
            return try self.nested { cursor throws(SyntaxError) in .not(try cursor.searchKey()) }
        case "OR":
            return try self.nested { cursor throws(SyntaxError) in
                let one = try cursor.searchKey()
                try cursor.expectBlank()
                return .or(one, try cursor.searchKey())
            }
        default: throw self.error(.expected("search key"))
        }
    }

    ///     date-text = date-day "-" date-month "-" date-year
    ///
    /// It may be quoted.
    private mutating func date() throws(SyntaxError) -> ByteBuffer {
        let isQuoted = self.take("\"")
        let text = self.takeRun { $0.isDigit || $0 == UInt8(ascii: "-") || $0.isLetter }
        if isQuoted { try self.expect("\"") }
        guard Self.isDate(text) else { throw self.error(.expected("date")) }
        return text
    }

    private static func isDate(_ text: ByteBuffer) -> Bool {
        var cursor = Cursor(text)
        let day = cursor.takeRun(where: \.isDigit).readableBytes
        guard (1...2).contains(day), cursor.take("-"), cursor.month() != nil, cursor.take("-")
        else {
            return false
        }
        return cursor.takeRun(where: \.isDigit).readableBytes == 4 && cursor.isAtEnd
    }

    ///     objectid = 1*255(ALPHA / DIGIT / "_" / "-")
    private mutating func objectID() throws(SyntaxError) -> ByteBuffer {
        let value = self.takeRun {
            $0.isDigit || $0.isLetter || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
        guard (1...255).contains(value.readableBytes) else {
            throw self.error(.expected("object identifier"))
        }
        return value
    }
}

extension UInt8 {
    var isLetter: Bool {
        let upper = self.asciiUppercased
        return upper >= UInt8(ascii: "A") && upper <= UInt8(ascii: "Z")
    }
}
