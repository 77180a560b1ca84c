/// Rows of comma-separated values, as `Export-Csv` writes them (RFC 4180): with `,`, `;` or a tab
/// between the cells, the first row naming the columns, perhaps after a line `#TYPE …` or `sep=;`.
///
/// Strict where libraries are lenient: a row with a cell too few or a quotation that does not end
/// is the mark of a file that was cut, and refuses the whole of it. Empty columns at the end, as
/// spreadsheets add them, are none.
struct CSVText {
    let header: [String]
    /// Cells, as many as the header has, with the line on which the row begins.
    let rows: [(line: Int, cells: [String])]

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
                    "\(file): its first line says that \($0) parts the cells, and the row of column "
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

    /// Takes what stands before the row of column names, in any order: `#TYPE …`, and `sep=;`, by
    /// which a spreadsheet is told what parts the cells.
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

    /// The names of the columns, without those at the end that have none.
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
            throw ReadingError("\(place): a column's name stands there twice")
        }
        return names
    }

    /// As many cells as the header has.
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

    /// One cell; leaves what ends it: a delimiter, a line end, or nothing.
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
