import Access
import Foundation
import Store
import Testing

@testable import gatepost

/// Tables, documents and lines, with names from elsewhere in them.
@Suite struct OutputTests {
    @Test func `columns are as wide as their widest cell`() {
        let lines = Output.lines(
            ["LOGIN", "NAME"],
            rows: [["a", "Anna"], ["bernadette", ""], ["", "x"]],
            width: nil
        )
        #expect(
            lines == [
                "LOGIN       NAME", "a           Anna", "bernadette  ", "            x",
            ]
        )
    }

    @Test func `a table without rows is its header`() {
        #expect(Output.lines(["A", "B"], rows: [], width: nil) == ["A  B"])
        #expect(Output.lines([], rows: [], width: nil) == [""])
    }

    @Test(arguments: [1, 5, 16, 17, 200])
    func `what does not fit the terminal is cut at its edge`(width: Int) {
        let rows = [["a", String(repeating: "x", count: 30)]]
        let whole = Output.lines(["LOGIN", "NAME"], rows: rows, width: nil)
        let cut = Output.lines(["LOGIN", "NAME"], rows: rows, width: width)
        #expect(cut == whole.map { String($0.prefix(width)) })
        #expect(cut.allSatisfy { $0.count <= width })
    }

    @Test func `letters with marks count as one column`() {
        let lines = Output.lines(["N", "X"], rows: [["e\u{301}", "1"], ["ab", "2"]], width: nil)
        #expect(lines == ["N   X", "e\u{301}   1", "ab  2"])
    }

    /// What drives a terminal, ends a line, or turns the direction of writing.
    @Test(arguments: [
        ("plain", "plain"), ("\u{1B}[2J", "\\u{1b}[2J"), ("a\nb", "a\\u{a}b"),
        ("a\r\nb", "a\\u{d}\\u{a}b"), ("\0", "\\u{0}"), ("\u{7F}", "\\u{7f}"),
        ("\u{9B}31m", "\\u{9b}31m"), ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
        ("\u{202E}cod.exe", "\\u{202e}cod.exe"), ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
        ("\u{200F}", "\\u{200f}"), ("\u{85}", "\\u{85}"), ("\t", "\\u{9}"),
        ("M\u{FC}ller \u{1F600} \u{5D0}", "M\u{FC}ller \u{1F600} \u{5D0}"), ("", ""),
        ("\\u{1b}", "\\u{1b}"),
    ])
    func `a name drives no terminal`(text: String, printed: String) {
        #expect(Output.printable(text) == printed)
        #expect(Output.lines(["N"], rows: [[text]], width: nil) == ["N", printed])
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (1_796_040_000, "2026-11-30T12:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
    ])
    func `a moment is in UTC`(seconds: Int64, text: String) {
        #expect(Output.date(seconds) == text)
    }

    @Test func `a document has its keys in order, and slashes as they are`() throws {
        struct Row: Encodable {
            var zeta = 1
            var alpha = "a/b"
            var list = ["x"]
        }
        let text = try Output.document(Row())
        #expect(
            text == "{\n  \"alpha\" : \"a/b\",\n  \"list\" : [\n    \"x\"\n  ],\n  \"zeta\" : 1\n}"
        )
    }

    /// Counts how often its elements are read.
    private final class CountedRows: Sequence {
        let rows: [[String]]
        var reads = 0

        init(_ rows: [[String]]) { self.rows = rows }

        func makeIterator() -> AnyIterator<[String]> {
            var rows = self.rows.makeIterator()
            return AnyIterator {
                let row = rows.next()
                if row != nil { self.reads += 1 }
                return row
            }
        }
    }

    @Test func `a table reads each row twice`() {
        let rows = CountedRows((0..<300).map { ["u\($0)", "x"] })
        Output.table(["LOGIN", "NAME"], rows: rows)
        #expect(rows.reads == 600)
    }

    /// The text of an array that is written an element at a time.
    private static func array(_ rows: [some Encodable], indentation: String = "") throws -> String {
        var text = ""
        try Output.array(of: rows, indentation: indentation) { text += $0 }
        return text
    }

    @Test(arguments: [0, 1, 3])
    func `an array that is written an element at a time is that of the whole`(count: Int) throws {
        let grants = try (0..<count).map { id in
            try Self.grant {
                $0.id = Int64(id)
                $0.reason = "a\n\"b\" \u{2028} ü / \\"
            }
        }
        #expect(try Self.array(grants) == Output.document(grants))
        let groups = (0..<count).map { GroupRow(name: "g\($0)", members: ["x", "y"]) }
        #expect(try Self.array(groups) == Output.document(groups))
        #expect(try Self.array(Array(0..<count)) == Output.document(Array(0..<count)))
    }

    @Test(arguments: [true, false])
    func `an export is the document, an entry at a time`(isFull: Bool) throws {
        let text =
            isFull
            ? """
            {"users":[{"login":"a@x.example","disabled":false,"name":"A\\nB"},
                {"login":"b@x.example","disabled":true}],
             "groups":[{"name":"g","members":["a@x.example","group:h"]},{"name":"h","members":[]}],
             "accounts":[{"address":"a@x.example","kind":"imap","aliases":["c@x.example"],
                "imap":{"host":"m.example","port":993,"tls":"implicit"},"sentCopyRequired":true}],
             "grants":[{"account":"a@x.example","subject":"group:g","scope":
                {"folder":"A/B","subtree":true},"rights":"lr","confirmed":false}],
             "withdrawals":[],"walls":[{"account":"a@x.example","subject":"b@x.example","reason":"r"}]}
            """ : "{}"
        let document = try ModelDocument(json: Data(text.utf8))
        var written = ""
        try ExportCommand.write(document) { written += $0 }
        let (lines, whole) = (written.split(separator: "\n"), try Output.document(document))
        let expected = whole.split(separator: "\n")
        let different = zip(lines, expected).first { $0 != $1 }
        #expect(different == nil, "\(String(describing: different))")
        #expect(written == whole)
    }

    // MARK: - Grants

    private static let now: Int64 = 1_796_040_000

    private static func grant(
        _ change: (inout GrantRow) throws -> Void = { _ in }
    ) throws -> GrantRow {
        let text = """
            {"id":12,"account":"bob@kanzlei.example","subject":"anna@kanzlei.example",
             "rights":"lr","send":"none","folder":null,"subtree":false,"source":"local",
             "via":null,"confirmed":true,"until":null,"author":"root","created":0,
             "reason":null,"withdrawn":null}
            """
        var row = try JSONDecoder().decode(GrantRow.self, from: Data(text.utf8))
        try change(&row)
        return row
    }

    @Test func `a grant is its eight columns`() throws {
        #expect(
            Output.cells(try Self.grant(), now: Self.now) == [
                "bob@kanzlei.example", "anna@kanzlei.example", "lr", "-", "all", "-", "local",
                "root",
            ]
        )
    }

    @Test func `nothing is a hyphen, and what was withdrawn says so where it was`() throws {
        let none = try Self.grant { $0.rights = "" }
        #expect(Output.cells(none, now: Self.now)[2...3] == ["-", "-"])
        for (withdrawn, cells) in [
            ("view", ["lr withdrawn", "as"]), ("send", ["lr", "as withdrawn"]),
            ("view send", ["lr withdrawn", "as withdrawn"]),
        ] {
            let row = try Self.grant {
                $0.send = "as"
                $0.withdrawn = withdrawn
            }
            #expect(Array(Output.cells(row, now: Self.now)[2...3]) == cells)
        }
    }

    @Test func `a folder says whether what is below it is in it`() throws {
        let folder = try Self.grant { $0.folder = "Akten" }
        #expect(Output.cells(folder, now: Self.now)[4] == "Akten")
        let subtree = try Self.grant {
            $0.folder = "Akten"
            $0.subtree = true
        }
        #expect(Output.cells(subtree, now: Self.now)[4] == "Akten/…")
    }

    /// Seconds from now, and what stands behind the moment.
    @Test(
        arguments: [
            (-86_400, " (ended)"), (0, " (ended)"), (1, " (ends today)"), (86_399, " (ends today)"),
            (86_400, " (ends in 1 day)"), (2 * 86_400, " (ends in 2 days)"),
            (30 * 86_400, " (ends in 30 days)"), (31 * 86_400, ""),
        ] as [(Int64, String)]
    )
    func `an end says how soon it is within thirty days`(seconds: Int64, text: String) throws {
        let row = try Self.grant { $0.until = Self.now + seconds }
        #expect(
            Output.cells(row, now: Self.now)[5] == Output.date(Self.now + seconds) + text
        )
    }

    @Test func `a grant says where it is from, and whether it waits`() throws {
        let exchange = try Self.grant {
            $0.source = "exchange"
            $0.via = "Sekretariat"
        }
        #expect(Output.cells(exchange, now: Self.now)[6] == "exchange (Sekretariat)")
        let pending = try Self.grant { $0.confirmed = false }
        #expect(Output.cells(pending, now: Self.now)[6] == "local, not confirmed")
    }
}
