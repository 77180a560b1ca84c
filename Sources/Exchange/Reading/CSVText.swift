/// Comma-separated values as `Export-Csv` writes them (RFC 4180).
///
/// The delimiter is `,`, `;` or a tab. The first row contains the column names; a line `#TYPE …` or
/// `sep=;` may precede it. The reader is strict: a missing cell or an open quotation shows that the
/// file was truncated, and the whole file is refused. Empty columns at the end, which spreadsheets
/// add, are ignored.
struct CSVText {
    /// The column names.
    let header: [String]
    /// The rows, with as many cells as ``header``, and the line on which each begins.
    let rows: [(line: Int, cells: [String])]

    /// - Throws: ``ReadingError`` with the row that is wrong.
    init(_ text: String, file: String) throws(ReadingError) {
        let isEnded = text.last?.isNewline ?? false
        var text = text[...]
        var line = 1
        let stated = Self.dropPreamble(&text, line: &line)
        let first = text.prefix { !$0.isNewline }
        let usual: [Character] = [",", ";", "\t"]
        let frequent = usual.max { one, other in
            first.count { $0 == one } < first.count { $0 == other }
        }
        let delimiter = stated ?? frequent ?? ","
        var rows: [(line: Int, cells: [String])] = []
        while !text.isEmpty {
            let start = line
            let cells = try Self.row(&text, delimiter: delimiter, line: &line, file: file)
            if cells.contains(where: { !$0.isEmpty }) { rows.append((start, cells)) }
        }
        guard let names = rows.first?.cells, names.count > 1 else {
            throw ReadingError(
                stated.map {
                    "\(file): its first line declares the delimiter \($0), but the row of column "
                        + "names has no \($0)"
                } ?? "\(file) is neither JSON nor comma-separated values with a row of column names"
            )
        }
        guard isEnded else {
            throw ReadingError("\(file): the last row has no line end; is the file cut off?")
        }
        let header = try Self.header(names, place: "\(file), row \(rows[0].line)")
        self.header = header
        self.rows = try rows.dropFirst().map { row throws(ReadingError) in
            (row.line, try Self.cells(row.cells, header: header, place: "\(file), row \(row.line)"))
        }
    }

    /// Skips the lines before the column names: `#TYPE …`, and `sep=;`, which declares the
    /// delimiter to a spreadsheet.
    /// - Returns: the declared delimiter.
    private static func dropPreamble(_ text: inout Substring, line: inout Int) -> Character? {
        var delimiter: Character?
        for _ in 0..<2 {
            let first = text.prefix { !$0.isNewline }
            let bare = first.filter { $0 != "\"" }
            if bare.count == 5, bare.lowercased().hasPrefix("sep=") {
                delimiter = bare.last
            } else if !first.hasPrefix("#TYPE") {
                break
            }
            text = text[first.endIndex...].dropFirst()
            line += 1
        }
        return delimiter
    }

    /// The column names, without unnamed columns at the end.
    private static func header(
        _ names: [String],
        place: String
    ) throws(ReadingError) -> [String] {
        var names = names
        while names.last?.isEmpty ?? false { names.removeLast() }
        guard !names.contains("") else {
            throw ReadingError("\(place): a column between others has no name")
        }
        guard Set(names.map { $0.lowercased() }).count == names.count else {
            throw ReadingError("\(place): two columns have the same name")
        }
        return names
    }

    /// Exactly as many cells as there are columns.
    private static func cells(
        _ cells: [String],
        header: [String],
        place: String
    ) throws(ReadingError) -> [String] {
        guard cells.count >= header.count else {
            throw ReadingError(
                "\(place): \(cells.count) cells instead of \(header.count); is the file cut off?"
            )
        }
        guard let extra = cells.dropFirst(header.count).first(where: { !$0.isEmpty }) else {
            return Array(cells.prefix(header.count))
        }
        throw ReadingError(
            "\(place): \(cells.count) cells instead of \(header.count), and \(extra.prefix(40)) is "
                + "in no column with a name: put a value that holds the delimiter into quotation "
                + "marks"
        )
    }

    /// Reads one row with its line end.
    private static func row(
        _ text: inout Substring,
        delimiter: Character,
        line: inout Int,
        file: String
    ) throws(ReadingError) -> [String] {
        var cells: [String] = []
        while true {
            cells.append(try self.cell(&text, delimiter: delimiter, line: &line, file: file))
            guard let end = text.popFirst() else { return cells }
            if end.isNewline {
                line += 1
                return cells
            }
        }
    }

    /// Reads one cell, and leaves the delimiter or line end after it.
    private static func cell(
        _ text: inout Substring,
        delimiter: Character,
        line: inout Int,
        file: String
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
