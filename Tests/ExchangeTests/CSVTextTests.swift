import Testing

@testable import Exchange

/// Comma-separated values as `Export-Csv` and spreadsheets write them.
@Suite struct CSVTextTests {
    private static func read(_ text: String) throws(ReadingError) -> CSVText {
        try CSVText(text, file: "x.csv")
    }

    /// Files, their columns, and their cells joined by `|`.
    static let files: [(String, [String], [String])] = [
        ("a,b\n1,2\n", ["a", "b"], ["1|2"]), ("a;b\n1;2\n", ["a", "b"], ["1|2"]),
        ("a\tb\n1\t2\n", ["a", "b"], ["1|2"]), ("a,b\r\n1,2\r\n", ["a", "b"], ["1|2"]),
        ("\"a\",\"b\"\n\"1\",\"2\"\n", ["a", "b"], ["1|2"]),
        ("a,b\n\"1,5\",2\n", ["a", "b"], ["1,5|2"]),
        ("a,b\n\"x\"\"y\",2\n", ["a", "b"], ["x\"y|2"]),
        ("a,b\n\"1\n2\",3\n4,5\n", ["a", "b"], ["1\n2|3", "4|5"]),
        ("a,b\n,\n1,2\n", ["a", "b"], ["1|2"]), ("a,b\n1,\n", ["a", "b"], ["1|"]),
        ("a,b\n", ["a", "b"], []),
        ("#TYPE System.Object\na,b\n1,2\n", ["a", "b"], ["1|2"]),
        ("sep=;\na;b,c\n1;2\n", ["a", "b,c"], ["1|2"]),
        ("\"sep=,\"\na,b\n1,2\n", ["a", "b"], ["1|2"]),
        ("#TYPE x\nsep=;\na;b\n1;2\n", ["a", "b"], ["1|2"]),
        ("a,b,,\n1,2,,\n", ["a", "b"], ["1|2"]), ("a,b\n1,2,,\n", ["a", "b"], ["1|2"]),
        ("a;b,c,d\n1;2\n", ["a;b", "c", "d"], []),
    ]

    @Test(arguments: files.dropLast())
    func `a file is columns and rows`(text: String, header: [String], rows: [String]) throws {
        let csv = try Self.read(text)
        #expect(csv.header == header)
        #expect(csv.rows.map { $0.cells.joined(separator: "|") } == rows)
    }

    /// Files that were cut, or that cannot be read in one way.
    @Test(arguments: [
        ("", "neither JSON"), ("a\n", "neither JSON"), ("a,b", "no line end"),
        ("a,b\n1,2", "no line end"),
        ("a,b\n1\n", "1 cells instead of 2"), ("a,b\n1,2,3\n", "no column with a name"),
        ("a,b\n\"1,2\n", "does not end"), ("a,b\n\"1\"x,2\n", "after a closing quotation"),
        ("a,,b\n1,2,3\n", "has no name"), ("a,A\n1,2\n", "two columns have the same name"),
        ("sep=;\na,b\n1,2\n", "has no ;"),
        ("a,b\n1,\"2\n", "does not end"),
    ])
    func `a file that was cut is refused`(text: String, says: String) {
        do {
            _ = try Self.read(text)
            Issue.record("taken: \(text)")
        } catch {
            #expect(error.description.contains(says), "\(error)")
            #expect(error.description.contains("x.csv"))
        }
    }

    @Test func `a row is named by its line, whatever is in it`() throws {
        let csv = try Self.read("#TYPE x\na,b\n\"1\n\n2\",3\n\n4,5\n")
        #expect(csv.rows.map(\.line) == [3, 7])
    }

    /// Any cells, written and read.
    @Test(arguments: [
        "", "a", "a,b", "a;b", "a\tb", "\"", "\"\"", "a\nb", " a ", "\u{FC}\u{1F600}",
    ])
    func `what is quoted is read as it was`(cell: String) throws {
        let quoted =
            "\""
            + cell.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
        for delimiter in [",", ";", "\t"] {
            let text = "a\(delimiter)b\n\(quoted)\(delimiter)x\n"
            #expect(try Self.read(text).rows.map(\.cells) == [[cell, "x"]])
        }
    }
}
