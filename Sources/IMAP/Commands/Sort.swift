/// `SORT (REVERSE DATE) UTF-8 UNSEEN` and its UID form (RFC 5256 §3).
package struct Sort: Equatable, Sendable {
    /// Whether the result consists of UIDs.
    package var isUID: Bool
    /// The result options of RETURN (RFC 5267 §3); nil without RETURN.
    package var returns: [SearchReturn]?
    /// The criteria, the most significant first.
    package var criteria: [SortCriterion]
    /// The charset of the strings.
    package var charset: SearchCharset
    /// The search criteria.
    package var key: SearchKey

    package var hasUnsupportedCharset: Bool { self.charset == .unsupported }

    /// The capabilities that the mailbox's server needs. Without ESORT and CONTEXT=SORT the gateway
    /// computes the result options itself.
    package var requiredCapabilities: [String] {
        var required = self.key.requiredCapabilities.union(["SORT"])
        if self.returns?.contains(.save) ?? false { required.insert("SEARCHRES") }
        if self.criteria.contains(where: \.isDisplay) { required.insert("SORT=DISPLAY") }
        return required.sorted()
    }

    package func encode(into encoder: inout CommandEncoder) {
        encoder.write(word: self.isUID ? "UID SORT" : "SORT")
        encoder.write(returns: self.returns)
        encoder.open()
        for criterion in self.criteria {
            if criterion.isReverse { encoder.write(word: "REVERSE") }
            encoder.write(word: criterion.key.word)
        }
        encoder.close()
        encoder.write(word: self.charset == .utf8 ? "UTF-8" : "US-ASCII")
        self.key.encodeTop(into: &encoder)
    }
}

/// A sort criterion, possibly preceded by REVERSE (RFC 5256 §3).
package struct SortCriterion: Equatable, Sendable {
    /// The key; DISPLAYFROM and DISPLAYTO are of RFC 5957.
    package enum Key: Equatable, Sendable {
        case arrival
        case cc
        case date
        case from
        case size
        case subject
        case to
        case displayFrom
        case displayTo

        var word: StaticString {
            switch self {
            case .arrival: "ARRIVAL"
            case .cc: "CC"
            case .date: "DATE"
            case .from: "FROM"
            case .size: "SIZE"
            case .subject: "SUBJECT"
            case .to: "TO"
            case .displayFrom: "DISPLAYFROM"
            case .displayTo: "DISPLAYTO"
            }
        }
    }

    package var key: Key
    /// Whether the order is descending.
    package var isReverse: Bool

    /// Whether the key needs the capability SORT=DISPLAY.
    var isDisplay: Bool { self.key == .displayFrom || self.key == .displayTo }
}

/// `THREAD REFERENCES UTF-8 ALL` and its UID form (RFC 5256 §3).
package struct Thread: Equatable, Sendable {
    /// The algorithm (RFC 5256 §3; REFS is an extension of Cyrus).
    package enum Algorithm: Equatable, Sendable {
        case orderedSubject
        case references
        case refs

        var word: StaticString {
            switch self {
            case .orderedSubject: "ORDEREDSUBJECT"
            case .references: "REFERENCES"
            case .refs: "REFS"
            }
        }
    }

    /// Whether the result consists of UIDs.
    package var isUID: Bool
    package var algorithm: Algorithm
    /// The charset of the strings.
    package var charset: SearchCharset
    /// The search criteria.
    package var key: SearchKey

    package var hasUnsupportedCharset: Bool { self.charset == .unsupported }

    package var requiredCapabilities: [String] {
        self.key.requiredCapabilities.union(["THREAD=\(self.algorithm.word)"]).sorted()
    }

    package func encode(into encoder: inout CommandEncoder) {
        encoder.write(word: self.isUID ? "UID THREAD" : "THREAD")
        encoder.write(word: self.algorithm.word)
        encoder.write(word: self.charset == .utf8 ? "UTF-8" : "US-ASCII")
        self.key.encodeTop(into: &encoder)
    }
}

extension Cursor {
    /// The most criteria of a SORT: each key is useful once.
    private static let maximumCriteria = 16

    ///     sort = "SORT" [search-return-opts] SP sort-criteria SP search-criteria
    mutating func sort(isUID: Bool) throws(SyntaxError) -> Sort {
        let returns = try self.searchReturns()
        let criteria = try self.elements { cursor throws(SyntaxError) in try cursor.sortCriterion()
        }
        guard criteria.count <= Self.maximumCriteria else { throw self.error(.commandTooLarge) }
        try self.expectBlank()
        let charset = Self.charset(try self.astring())
        try self.expectBlank()
        let key = try self.searchProgram(charset)
        return Sort(
            isUID: isUID,
            returns: returns,
            criteria: criteria,
            charset: charset,
            key: key
        )
    }

    private mutating func sortCriterion() throws(SyntaxError) -> SortCriterion {
        let isReverse = self.take(argumentsOf: "REVERSE")
        let key: SortCriterion.Key
        switch try self.atom().uppercasedText() {
        case "ARRIVAL": key = .arrival
        case "CC": key = .cc
        case "DATE": key = .date
        case "FROM": key = .from
        case "SIZE": key = .size
        case "SUBJECT": key = .subject
        case "TO": key = .to
        case "DISPLAYFROM": key = .displayFrom
        case "DISPLAYTO": key = .displayTo
        default: throw self.error(.expected("sort criterion"))
        }
        return SortCriterion(key: key, isReverse: isReverse)
    }

    ///     thread = "THREAD" SP thread-alg SP search-criteria
    mutating func thread(isUID: Bool) throws(SyntaxError) -> Thread {
        let algorithm: Thread.Algorithm
        switch try self.atom().uppercasedText() {
        case "ORDEREDSUBJECT": algorithm = .orderedSubject
        case "REFERENCES": algorithm = .references
        case "REFS": algorithm = .refs
        default: throw self.error(.expected("thread algorithm"))
        }
        try self.expectBlank()
        let charset = Self.charset(try self.astring())
        try self.expectBlank()
        let key = try self.searchProgram(charset)
        return Thread(isUID: isUID, algorithm: algorithm, charset: charset, key: key)
    }
}
