import Foundation

/// Standard output of a command: a JSON document, a table or a line of text.
enum Output {
    /// Prints one JSON document with sorted keys.
    static func json(_ value: some Encodable) throws {
        print(try self.document(value))
    }

    /// The text of one document, with its keys in order.
    static func document(_ value: some Encodable) throws -> String {
        String(decoding: try self.encoder.encode(value), as: UTF8.self)
    }

    /// Prints one JSON document: an array, an element at a time. The text is that of ``json(_:)``
    /// of the whole array, which need not be in memory.
    static func json(list rows: some Sequence<some Encodable>) throws {
        try self.array(of: rows, indentation: "") { print($0, terminator: "") }
        print("")
    }

    /// Writes a JSON array, an element at a time.
    /// - Parameters:
    ///   - rows: the elements.
    ///   - indentation: the blanks before the line that the array begins in.
    ///   - write: receives the text in parts.
    static func array(
        of rows: some Sequence<some Encodable>,
        indentation: String,
        write: (String) throws -> Void
    ) throws {
        let encoder = self.encoder
        let blanks = Array("\(indentation)  ".utf8)
        var separator = UInt8(ascii: "[")
        for row in rows {
            // No text in JSON has a line end. The empty line of an empty array has no blanks.
            var octets: [UInt8] = [separator]
            var isAtLineStart = true
            octets.append(UInt8(ascii: "\n"))
            for octet in try encoder.encode(row) {
                if isAtLineStart, octet != UInt8(ascii: "\n") { octets += blanks }
                isAtLineStart = octet == UInt8(ascii: "\n")
                octets.append(octet)
            }
            try write(String(decoding: octets, as: UTF8.self))
            separator = UInt8(ascii: ",")
        }
        try write(separator == UInt8(ascii: "[") ? "[\n\n\(indentation)]" : "\n\(indentation)]")
    }

    /// The encoder of every document: keys in order.
    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return encoder
    }

    /// Prints one line on standard error, about something that does not fail the command.
    /// - Parameter text: control characters in it are escaped.
    static func note(_ text: String) {
        FileHandle.standardError.write(Data("gatepost: \(self.printable(text))\n".utf8))
    }

    /// Prints an aligned table. At a terminal a row is cut at the terminal's width.
    /// - Parameters:
    ///   - header: the titles of the columns.
    ///   - rows: iterated twice, for the widths and for the lines, so that the lines need not be in
    ///     memory.
    static func table(_ header: [String], rows: some Sequence<[String]>) {
        var widths: [Int] = []
        self.widen(&widths, header: header, rows: rows)
        let width = Terminal.width
        print(self.line(of: header, widths: widths, width: width))
        for row in rows { print(self.line(of: row, widths: widths, width: width)) }
    }

    /// The lines of a table. The width is in columns of the terminal; nil cuts nothing.
    static func lines(_ header: [String], rows: [[String]], width: Int?) -> [String] {
        var widths: [Int] = []
        return self.lines(header, rows: rows, width: width, widths: &widths)
    }

    /// The lines of a part of a table.
    /// - Parameters:
    ///   - header: the titles of the columns.
    ///   - rows: the lines of the part.
    ///   - width: the columns of the terminal; nil cuts nothing.
    ///   - widths: the widths of the columns in the parts before, which are kept or become wider;
    ///     empty for the first part.
    static func lines(
        _ header: [String],
        rows: [[String]],
        width: Int?,
        widths: inout [Int]
    ) -> [String] {
        self.widen(&widths, header: header, rows: rows)
        let final = widths
        return ([header] + rows).map { self.line(of: $0, widths: final, width: width) }
    }

    /// Makes the columns as wide as their widest cell.
    private static func widen(
        _ widths: inout [Int],
        header: [String],
        rows: some Sequence<[String]>
    ) {
        if widths.isEmpty { widths = header.map(\.count) }
        for row in rows {
            for (index, cell) in row.enumerated() {
                widths[index] = max(widths[index], self.columns(of: self.printable(cell)))
            }
        }
    }

    /// One line of a table.
    private static func line(of row: [String], widths: [Int], width: Int?) -> String {
        var line = ""
        for (index, cell) in row.enumerated() {
            let text = self.printable(cell)
            line += text
            guard index < row.count - 1 else { break }
            for _ in self.columns(of: text)..<widths[index] + 2 { line.append(" ") }
        }
        return width.map { String(line.prefix($0)) } ?? line
    }

    /// The number of columns that a printable text takes.
    private static func columns(of text: String) -> Int {
        self.isPlain(text) ? text.utf8.count : text.count
    }

    /// Whether a text has visible ASCII characters and blanks only. Most texts do, and need no
    /// look at the properties of their characters.
    private static func isPlain(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    /// Prints a line that may contain names from a server or a store, with control characters
    /// escaped.
    static func line(_ text: String) {
        print(self.printable(text))
    }

    /// Escapes control characters, line ends and bidirectional controls, for example `\u{1b}`.
    ///
    /// A name from a server or a store must not control the terminal, and must not look like
    /// another line of a log.
    static func printable(_ text: some StringProtocol) -> String {
        if self.isPlain(text) { return String(text) }
        return text.unicodeScalars.map { scalar in
            let properties = scalar.properties
            let isEscaped =
                switch properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator: true
                default: properties.isBidiControl
                }
            return isEscaped ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }.joined()
    }

    /// Formats a time in UTC: `2026-11-30T12:00:00Z`.
    /// - Parameter seconds: since 1970.
    static func date(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).ISO8601Format()
    }
}
