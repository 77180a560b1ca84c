/// The characters of a configuration file, read one line or one flow collection at a time.
struct ConfigurationScanner {
    /// A key of the file.
    struct Entry: Equatable {
        /// The key with the name of its group, such as `limits.loginSeconds`.
        var path: String
        /// Counted from 1.
        var line: Int
        /// What the file has for its value; nil for a key without a value.
        var shape: ConfigurationKey.Shape?
    }

    /// A line that the reader of the keys does not know.
    struct Problem: Error {
        /// Counted from 1.
        var line: Int
        /// What is wrong, without text of the file, which may hold secrets.
        var reason: String
    }

    /// The start of a line.
    struct Line {
        /// Counted from 1.
        var number: Int
        /// The spaces before the first other character.
        var indent: Int
        /// Whether the line is an item of a block list.
        var isItem: Bool
    }

    private let octets: [UInt8]
    private var position = 0
    private var number = 1

    /// - Parameter text: a byte order mark at its start is skipped (YAML 1.2 §5.2).
    init(_ text: String) {
        let octets = Array(text.utf8)
        self.octets = octets.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(octets.dropFirst(3)) : octets
    }

    private var octet: UInt8? {
        self.position < self.octets.count ? self.octets[self.position] : nil
    }

    private var following: UInt8? {
        self.position + 1 < self.octets.count ? self.octets[self.position + 1] : nil
    }

    private var isAtLineEnd: Bool { self.octet == nil || Self.isBreak(self.octet) }

    private static func isBreak(_ octet: UInt8?) -> Bool {
        octet == UInt8(ascii: "\n") || octet == UInt8(ascii: "\r")
    }

    private static func isBlank(_ octet: UInt8?) -> Bool {
        octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t")
    }

    private mutating func skipBlanks() {
        while Self.isBlank(self.octet) { self.position += 1 }
    }

    private mutating func skipBreak() {
        guard let octet else { return }
        // CR LF is one line break.
        self.position += octet == UInt8(ascii: "\r") && self.following == UInt8(ascii: "\n") ? 2 : 1
        self.number += 1
    }

    private mutating func skipToLineEnd() {
        while !self.isAtLineEnd { self.position += 1 }
    }

    /// The next line that is neither empty nor a comment; nil at the end of the file.
    mutating func nextLine() -> Line? {
        while self.octet != nil {
            let start = self.position
            while self.octet == UInt8(ascii: " ") { self.position += 1 }
            let indent = self.position - start
            self.skipBlanks()
            if self.octet == UInt8(ascii: "#") { self.skipToLineEnd() }
            // The marker of the first document.
            if start == self.position, self.octets[start...].starts(with: Array("---".utf8)),
                self.isFirst
            {
                self.position += 3
                self.skipBlanks()
                if self.octet == UInt8(ascii: "#") { self.skipToLineEnd() }
            }
            if self.isAtLineEnd {
                self.skipBreak()
                continue
            }
            self.isFirst = false
            let isItem =
                self.octet == UInt8(ascii: "-")
                && (self.following == nil || Self.isBreak(self.following)
                    || Self.isBlank(self.following))
            return Line(number: self.number, indent: indent, isItem: isItem)
        }
        return nil
    }

    /// Whether no line with a key was read yet.
    private var isFirst = true

    // MARK: - Keys and values

    /// A key with its colon, plain or quoted; nil if there is none.
    mutating func key() -> String? {
        var name: String?
        if self.octet == UInt8(ascii: "\"") || self.octet == UInt8(ascii: "'") {
            name = self.quoted()
        } else {
            let start = self.position
            while let octet,
                octet.isASCIILetterOrDigit || [0x2D, 0x2E, 0x5F].contains(octet)
            {
                self.position += 1
            }
            name = String(decoding: self.octets[start..<self.position], as: UTF8.self)
        }
        self.skipBlanks()
        guard let name, !name.isEmpty, self.octet == UInt8(ascii: ":") else { return nil }
        self.position += 1
        // Without a blank the colon belongs to a text.
        guard self.isAtLineEnd || Self.isBlank(self.octet) else { return nil }
        return name
    }

    /// The value after a key, up to the end of its last line.
    /// - Parameter path: the key.
    /// - Returns: its shape, nil for none in this line, and the keys in a flow mapping.
    mutating func value(
        below path: String
    ) throws(Problem) -> (
        shape: ConfigurationKey.Shape?, entries: [Entry]
    ) {
        var entries: [Entry] = []
        self.skipBlanks()
        guard !self.isAtLineEnd, self.octet != UInt8(ascii: "#") else {
            self.skipToLineEnd()
            return (nil, [])
        }
        let shape = try self.node(below: path, isInFlow: false, entries: &entries)
        try self.requireLineEnd()
        return (shape, entries)
    }

    /// The text of an item of a block list.
    mutating func item(_ line: Line) throws(Problem) {
        self.position += 1
        self.skipBlanks()
        var entries: [Entry] = []
        guard !self.isAtLineEnd,
            try self.node(below: "", isInFlow: false, entries: &entries) == .scalar
        else { throw Problem(line: line.number, reason: "an item of a list is a text in its line") }
        try self.requireLineEnd()
    }

    private mutating func requireLineEnd() throws(Problem) {
        let isBlank = Self.isBlank(self.octet)
        self.skipBlanks()
        guard self.isAtLineEnd || isBlank && self.octet == UInt8(ascii: "#") else {
            throw Problem(line: self.number, reason: "a value ends before the end of its line")
        }
        self.skipToLineEnd()
    }

    /// A text, a flow list or a flow mapping.
    private mutating func node(
        below path: String,
        isInFlow: Bool,
        entries: inout [Entry]
    ) throws(Problem) -> ConfigurationKey.Shape {
        switch self.octet {
        case UInt8(ascii: "["):
            try self.flow(endsWith: UInt8(ascii: "]"), path: path, entries: &entries)
            return .list
        case UInt8(ascii: "{"):
            try self.flow(endsWith: UInt8(ascii: "}"), path: path, entries: &entries)
            return .group
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            guard self.quoted() != nil else {
                throw Problem(line: self.number, reason: "a quoted text must end in its line")
            }
            return .scalar
        default:
            try self.plain(isInFlow: isInFlow)
            return .scalar
        }
    }

    /// A text without quotes.
    private mutating func plain(isInFlow: Bool) throws(Problem) {
        if let octet, "&*!|>%@`?".utf8.contains(octet) {
            throw Problem(
                line: self.number,
                reason: "anchors, aliases, tags and blocks of text are not supported: write the "
                    + "value in its line, in quotes"
            )
        }
        if isInFlow, let octet, ",[]{}".utf8.contains(octet) {
            throw Problem(line: self.number, reason: "a text is needed here")
        }
        while let octet, !Self.isBreak(octet) {
            if isInFlow, ",[]{}".utf8.contains(octet) { return }
            if octet == UInt8(ascii: ":"),
                self.following == nil || Self.isBreak(self.following)
                    || Self.isBlank(self.following)
            {
                throw Problem(line: self.number, reason: "a text with a colon needs quotes")
            }
            if Self.isBlank(octet), self.following == UInt8(ascii: "#") { return }
            self.position += 1
        }
    }

    /// A quoted text in one line, without its quotes; nil if it does not end in its line.
    private mutating func quoted() -> String? {
        let quote = self.octet
        self.position += 1
        let start = self.position
        while let octet, !Self.isBreak(octet) {
            self.position += 1
            if octet == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                guard !self.isAtLineEnd else { return nil }
                self.position += 1
            } else if octet == quote {
                // Two single quotes are one inside a text.
                guard quote == UInt8(ascii: "'"), self.octet == quote else {
                    return String(decoding: self.octets[start..<self.position - 1], as: UTF8.self)
                }
                self.position += 1
            }
        }
        return nil
    }

    /// A flow list or a flow mapping, in one line or several.
    private mutating func flow(
        endsWith end: UInt8,
        path: String,
        entries: inout [Entry]
    ) throws(Problem) {
        self.position += 1
        while true {
            self.skipSpace()
            guard let octet else {
                throw Problem(line: self.number, reason: "the end of a list is missing")
            }
            if octet == end {
                self.position += 1
                return
            }
            if octet == UInt8(ascii: ",") {
                self.position += 1
                continue
            }
            if end == UInt8(ascii: "]") {
                guard try self.node(below: path, isInFlow: true, entries: &entries) == .scalar
                else { throw Problem(line: self.number, reason: "a list contains only texts") }
                continue
            }
            let line = self.number
            guard let key = self.key() else {
                throw Problem(line: line, reason: "KEY: VALUE is needed here")
            }
            self.skipSpace()
            let place = "\(path).\(key)"
            entries.append(Entry(path: place, line: line, shape: nil))
            let index = entries.count - 1
            guard let next = self.octet, next != UInt8(ascii: ","), next != end else { continue }
            let shape = try self.node(below: place, isInFlow: true, entries: &entries)
            entries[index].shape = shape
        }
    }

    /// Skips blanks, line breaks and comments between the parts of a flow collection.
    private mutating func skipSpace() {
        while let octet {
            if Self.isBreak(octet) {
                self.skipBreak()
            } else if octet == UInt8(ascii: "#") {
                self.skipToLineEnd()
            } else if Self.isBlank(octet) {
                self.position += 1
            } else {
                return
            }
        }
    }
}
