import Foundation

/// Standard output of a command: a JSON document, a table or a line of text.
enum Output {
    /// Prints one JSON document with sorted keys.
    static func json(_ value: some Encodable) throws {
        print(try self.document(value))
    }

    /// The text of one document, with its keys in order.
    static func document(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Prints an aligned table. At a terminal a row is cut at the terminal's width.
    static func table(_ header: [String], rows: [[String]]) {
        for line in self.lines(header, rows: rows, width: Terminal.width) { print(line) }
    }

    /// The lines of a table. The width is in columns of the terminal; nil cuts nothing.
    static func lines(_ header: [String], rows: [[String]], width: Int?) -> [String] {
        var widths: [Int] = []
        return self.lines(header, rows: rows, width: width, widths: &widths)
    }

    /// The lines of a part of a table.
    /// - Parameter widths: the widths of the columns in the parts before, which are kept or become
    ///   wider; empty for the first part.
    static func lines(
        _ header: [String],
        rows: [[String]],
        width: Int?,
        widths: inout [Int]
    ) -> [String] {
        let all = [header] + rows.map { $0.map(self.printable) }
        if widths.isEmpty { widths = header.map(\.count) }
        for row in all {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        let final = widths
        return all.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let isLast = index == row.count - 1
                line +=
                    isLast
                    ? cell : cell + String(repeating: " ", count: final[index] + 2 - cell.count)
            }
            return width.map { String(line.prefix($0)) } ?? line
        }
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
        text.unicodeScalars.map { scalar in
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
