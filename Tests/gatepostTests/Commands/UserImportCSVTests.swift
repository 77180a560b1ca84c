import Testing

@testable import gatepost

/// The file of `gatepost user import`: its records, columns and rows.
@Suite struct UserImportCSVTests {
    /// All records of a text.
    private static func records(_ octets: [UInt8]) throws(CSVError) -> [CSVRecord] {
        var reader = try CSVReader(octets)
        var records: [CSVRecord] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }

    /// A text, the lines of its records, and their fields.
    @Test(
        arguments: [
            ("", [], []), ("\n\r\n", [], []), ("a", [1], [["a"]]), ("a\n", [1], [["a"]]),
            ("a,b\r\nc,d\r\n", [1, 2], [["a", "b"], ["c", "d"]]),
            ("\u{FEFF}a;b\nc,d;e\n", [1, 2], [["a", "b"], ["c,d", "e"]]),
            ("a,b\n,\n\nc,", [1, 2, 4], [["a", "b"], ["", ""], ["c", ""]]),
            (
                "a,b\n\"x\r\ny\",\"\"\"z\"\"\"\nc,d", [1, 2, 4],
                [["a", "b"], ["x\r\ny", "\"z\""], ["c", "d"]]
            ),
            ("a,b\n\"\",\";,\"\n", [1, 2], [["a", "b"], ["", ";,"]]),
            ("a,b\n ä , 'x'\n", [1, 2], [["a", "b"], [" ä ", " 'x'"]]),
            ("a,\"b\"", [1], [["a", "b"]]),
        ] as [(String, [Int], [[String]])]
    )
    func `a text has its records`(text: String, lines: [Int], fields: [[String]]) throws {
        let records = try Self.records(Array(text.utf8))
        #expect(records.map(\.line) == lines)
        #expect(records.map(\.fields) == fields)
    }

    /// A text, the line of its error, and words of the reason.
    @Test(
        arguments: [
            ("a,b;c\n", 1, "both , and ;"), ("a\n\"b", 2, "not closed"),
            ("a\n\"b\nc\n\n", 2, "not closed"), ("a\nb\"c\n", 2, "inside a field"),
            ("a\n\"b\"c\n", 2, "behind a closing"), ("a\n\"b\" ,c\n", 2, "behind a closing"),
            ("a\rb\n", 1, "CR without LF"), ("a\nb\r", 2, "CR without LF"),
            ("a\nb\r\r\n", 2, "CR without LF"), ("a\n\0\n", 2, "NUL"),
            ("a\n\"\0\"\n", 2, "NUL"),
            ("a\n\n\(String(repeating: "x", count: 4_097))", 3, "more than 4096 octets"),
            ("a\n\"\(String(repeating: "x\n", count: 4_096))", 2, "not closed?"),
            ("a\n\(String(repeating: ",", count: 64))\n", 2, "more than 64 fields"),
        ] as [(String, Int, String)]
    )
    func `a text that is no CSV is refused with its line`(
        text: String,
        line: Int,
        reason: String
    ) throws {
        let error = #expect(throws: CSVError.self) { try Self.records(Array(text.utf8)) }
        #expect(error?.line == line && error?.reason.contains(reason) == true, "\(error as Any)")
    }

    @Test(arguments: [[0xFF, 0xFE, 0x61, 0x00], [0x61, 0xE4, 0x0A], [0x22, 0xC3, 0x22]])
    func `a text in another encoding is refused`(octets: [UInt8]) {
        let error = #expect(throws: CSVError.self) { try Self.records(octets) }
        #expect(error?.reason.contains("UTF-8") == true)
    }

    @Test func `columns have any order and any case, and an empty field is no value`() throws {
        let text = "Name;TLS;login;imap;smtp;ca;username\nClara;;c@x.example;m.example;;;\n"
        let rows = try UserImportRow.rows(csv: Array(text.utf8))
        let account = UserImportAccount(imap: "m.example")
        #expect(
            rows == [UserImportRow(line: 2, login: "c@x.example", name: "Clara", account: account)]
        )
    }

    @Test(
        arguments: [
            ("", "empty"), ("name\nClara\n", "column login is missing"),
            ("login,password\n", "passwords are not imported"),
            ("login,Password\n", "gatepost user password LOGIN"),
            ("login,owner\n", "unknown column \"owner\"; known are login, name, imap, smtp"),
            ("login,login\n", "two columns login"), ("login,\n", "unknown column \"\""),
            ("login,name\na@x.example\n", "line 2: 1 fields, but the header has 2"),
            ("login\na@x.example,b\n", "line 2: 2 fields, but the header has 1"),
        ] as [(String, String)]
    )
    func `a file that is no table of users is refused`(text: String, reason: String) {
        let error = #expect(throws: CSVError.self) {
            try UserImportRow.rows(csv: Array(text.utf8))
        }
        #expect(error?.description.contains(reason) == true, "\(error as Any)")
    }
}
