/// Rows of comma-separated values, as `Export-Csv` writes them (RFC 4180): with `,`, `;` or a tab
/// between the cells, the first row naming the columns, perhaps after a line `#TYPE …`.
///
/// Strict where libraries are lenient: a row with a cell too few or a quotation that does not end
/// is the mark of a file that was cut, and refuses the whole of it.
struct CSVText {
    let header: [String]
    /// Cells, as many as the header has, with the line on which the row begins.
    let rows: [(line: Int, cells: [String])]

    init(_ text: String, file: String) throws(ReadingError) {
        let isEnded = text.last?.isNewline ?? false
        var text = text[...]
        var line = 1
        if text.hasPrefix("#TYPE") {
            text = text.drop { !$0.isNewline }.dropFirst()
            line = 2
        }
        let first = text.prefix { !$0.isNewline }
        let delimiter =
            [Character(","), ";", "\t"].max { one, other in
                first.count { $0 == one } < first.count { $0 == other }
            } ?? ","
        var rows: [(line: Int, cells: [String])] = []
        while !text.isEmpty {
            let start = line
            let cells = try Self.row(&text, delimiter, &line, file)
            if cells != [""] { rows.append((start, cells)) }
        }
        guard let header = rows.first?.cells, rows[0].cells.count > 1 else {
            throw ReadingError(
                "\(file) is neither JSON nor comma-separated values with a row of column names"
            )
        }
        guard Set(header.map { $0.lowercased() }).count == header.count else {
            throw ReadingError("\(file), row \(rows[0].line): a column's name stands there twice")
        }
        guard isEnded else {
            throw ReadingError("\(file): the last row has no line end; is the file cut off?")
        }
        self.header = header
        self.rows = Array(rows.dropFirst())
        for row in self.rows where row.cells.count != header.count {
            throw ReadingError(
                "\(file), row \(row.line): \(row.cells.count) cells instead of \(header.count); is "
                    + "the file cut off?"
            )
        }
    }

    private static func row(
        _ text: inout Substring,
        _ delimiter: Character,
        _ line: inout Int,
        _ file: String
    ) throws(ReadingError) -> [String] {
        var cells: [String] = []
        while true {
            cells.append(try self.cell(&text, delimiter, &line, file))
            guard let end = text.popFirst() else { return cells }
            if end.isNewline {
                line += 1
                return cells
            }
        }
    }

    /// One cell; leaves what ends it: a delimiter, a line end, or nothing.
    private static func cell(
        _ text: inout Substring,
        _ delimiter: Character,
        _ line: inout Int,
        _ file: String
    ) throws(ReadingError) -> String {
        guard text.first == "\"" else {
            let cell = text.prefix { $0 != delimiter && !$0.isNewline }
            text = text[cell.endIndex...]
            return String(cell)
        }
        text.removeFirst()
        var cell = ""
        while let character = text.popFirst() {
            if character.isNewline { line += 1 }
            guard character == "\"" else {
                cell.append(character)
                continue
            }
            if text.first == "\"" {
                cell.append(text.removeFirst())
                continue
            }
            guard text.first.map({ $0 == delimiter || $0.isNewline }) ?? true else {
                throw ReadingError("\(file), row \(line): text after a closing quotation mark")
            }
            return cell
        }
        throw ReadingError("\(file), row \(line): a quotation does not end; is the file cut off?")
    }
}
