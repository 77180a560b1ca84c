/// Why a CSV text cannot be read.
struct CSVError: Error, Equatable, CustomStringConvertible {
    /// The line, from 1, in which the error is.
    var line: Int
    /// The problem and its remedy.
    var reason: String

    var description: String { "line \(self.line): \(self.reason)" }
}

/// A record of a CSV text.
struct CSVRecord: Equatable, Sendable {
    /// The line, from 1, in which it begins. A quoted field may have line breaks.
    var line: Int
    var fields: [String]
}

/// Reads the records of a CSV text (RFC 4180) in UTF-8, with `,` or `;` between the fields.
///
/// It is strict: a field that begins with a quotation mark ends with one, no other field has one,
/// and lines end with LF or CRLF. A guess would shift a value into another column. Empty lines are
/// no records.
struct CSVReader {
    /// The most octets of a field: a path is the longest value. An unclosed quotation mark would
    /// otherwise swallow the rest of the file.
    static let maximumFieldOctets = 4_096
    /// The most fields of a record, several times the number of known columns.
    static let maximumFields = 64

    /// Where in a record the reader is.
    private enum State {
        case startOfField
        case inField
        /// Behind the quotation mark that opened the field.
        case inQuotes
        /// Behind a quotation mark in a quoted field: the end, or the first half of `""`.
        case behindQuote
        /// Behind CR outside of quotation marks.
        case behindReturn
    }

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let octets: ArraySlice<UInt8>
    private let separator: UInt8
    private var position: Int
    private var line = 1
    private var state = State.startOfField
    private var field: [UInt8] = []
    private var record: CSVRecord

    /// Reads the separator from the first line.
    /// - Throws: ``CSVError`` if the first line has both separators, or is not UTF-8.
    init(_ octets: [UInt8]) throws(CSVError) {
        let start = octets.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
        let text = octets[start...]
        // The names of columns have neither.
        let header = text.prefix { $0 != Self.lineFeed }
        let hasComma = header.contains(UInt8(ascii: ","))
        let hasSemicolon = header.contains(UInt8(ascii: ";"))
        guard !hasComma || !hasSemicolon else {
            throw CSVError(line: 1, reason: "both , and ; separate the columns: use one of them")
        }
        self.octets = text
        self.position = text.startIndex
        self.separator = UInt8(ascii: hasSemicolon ? ";" : ",")
        self.record = CSVRecord(line: 1, fields: [])
    }

    /// The next record; nil at the end.
    /// - Throws: ``CSVError`` for text that is not CSV, not UTF-8, or above a limit.
    mutating func next() throws(CSVError) -> CSVRecord? {
        while self.position < self.octets.endIndex {
            let octet = self.octets[self.position]
            self.position += 1
            guard octet != 0 else { throw self.error("it contains NUL: save the file as UTF-8") }
            let isEnd = try self.take(octet)
            if octet == Self.lineFeed { self.line += 1 }
            if isEnd, let record = self.takeRecord() { return record }
        }
        switch self.state {
        case .inQuotes:
            throw CSVError(
                line: self.record.line,
                reason: "a quotation mark is not closed in the record that begins here"
            )
        case .behindReturn:
            throw self.error("CR without LF: end lines with LF or CRLF")
        case .startOfField where self.record.fields.isEmpty:
            return nil
        case .startOfField, .inField, .behindQuote:
            try self.endField()
            return self.takeRecord()
        }
    }

    /// Takes an octet.
    /// - Returns: whether it ends the record.
    private mutating func take(_ octet: UInt8) throws(CSVError) -> Bool {
        switch self.state {
        case .startOfField:
            if octet == Self.quote {
                self.state = .inQuotes
                return false
            }
            return try self.takeUnquoted(octet)
        case .inField:
            guard octet != Self.quote else {
                throw self.error("a quotation mark inside a field: quote the field and double it")
            }
            return try self.takeUnquoted(octet)
        case .inQuotes:
            if octet == Self.quote { self.state = .behindQuote } else { try self.append(octet) }
            return false
        case .behindQuote:
            if octet == Self.quote {
                try self.append(octet)
                self.state = .inQuotes
                return false
            }
            guard [self.separator, Self.lineFeed, Self.carriageReturn].contains(octet) else {
                throw self.error("text behind a closing quotation mark: double the mark inside")
            }
            return try self.takeUnquoted(octet)
        case .behindReturn:
            guard octet == Self.lineFeed else {
                throw self.error("CR without LF: end lines with LF or CRLF")
            }
            return try self.takeUnquoted(octet)
        }
    }

    /// Takes an octet outside of quotation marks.
    /// - Returns: whether it ends the record.
    private mutating func takeUnquoted(_ octet: UInt8) throws(CSVError) -> Bool {
        switch octet {
        case self.separator:
            try self.endField()
            self.state = .startOfField
            return false
        case Self.carriageReturn:
            self.state = .behindReturn
            return false
        case Self.lineFeed:
            try self.endField()
            self.state = .startOfField
            return true
        default:
            try self.append(octet)
            self.state = .inField
            return false
        }
    }

    private mutating func append(_ octet: UInt8) throws(CSVError) {
        guard self.field.count < Self.maximumFieldOctets else {
            throw CSVError(
                line: self.record.line,
                reason: "a field has more than \(Self.maximumFieldOctets) octets: "
                    + "is a quotation mark not closed?"
            )
        }
        self.field.append(octet)
    }

    private mutating func endField() throws(CSVError) {
        guard let text = String(validating: self.field, as: UTF8.self) else {
            throw self.error("it is not UTF-8: save the file as UTF-8")
        }
        guard self.record.fields.count < Self.maximumFields else {
            throw self.error("it has more than \(Self.maximumFields) fields")
        }
        self.record.fields.append(text)
        self.field.removeAll(keepingCapacity: true)
    }

    /// The record that has ended; nil for an empty line.
    private mutating func takeRecord() -> CSVRecord? {
        let record = self.record
        self.record = CSVRecord(line: self.line, fields: [])
        return record.fields == [""] ? nil : record
    }

    private func error(_ reason: String) -> CSVError {
        CSVError(line: self.line, reason: reason)
    }
}
