import Access
import Foundation
import Testing

@testable import Store

/// Comparison and text of report lines.
@Suite struct StageReportTests {
    private static func line(
        _ subject: String = "anna",
        via: String? = nil,
        _ rights: String = "lr",
        send: String = "none",
        folder: String? = nil,
        denied: String = ""
    ) -> StageReport.Line {
        StageReport.Line(
            subject: subject,
            via: via,
            rights: rights,
            send: send,
            folder: folder,
            denied: denied
        )
    }

    /// Pairs of lines that differ in one field.
    static let pairs: [(StageReport.Line, StageReport.Line)] = [
        (line(), line("bob")), (line(), line(via: "Vertrieb")), (line(), line("anna", "l")),
        (line(), line(send: "as")), (line(), line(folder: "Akten")), (line(), line(denied: "view")),
        (line(folder: "Caf\u{E9}"), line(folder: "Cafe\u{301}")),
        (line(folder: "Akten"), line(folder: "akten")),
        (line("\u{E9}va"), line("e\u{301}va")), (line(folder: "K"), line(folder: "\u{212A}")),
    ]

    @Test(arguments: pairs)
    func `report lines are compared octet for octet`(one: StageReport.Line, other: StageReport.Line)
    {
        #expect(one != other && one == one)
        #expect(Set([one, other]).count == 2)
        #expect((one < other) != (other < one))
    }

    @Test func `lines are sorted by subject, then by folder`() {
        let lines = [
            Self.line("bob"), Self.line("anna", folder: "B"), Self.line("anna"),
            Self.line("anna", folder: "A"),
        ].sorted()
        #expect(
            lines.map { "\($0.subject) \($0.folder ?? "*")" } == [
                "anna *", "anna A", "anna B", "bob *",
            ]
        )
    }

    @Test(arguments: [
        (line(), "anna lr in all, send none"), (line("anna", ""), "anna - in all, send none"),
        (line(send: "as", folder: "Akten"), "anna lr in Akten, send as"),
        (line(denied: "view send"), "anna denied view send"),
    ])
    func `a line is written in words`(line: StageReport.Line, text: String) {
        #expect(line.text == text)
    }

    @Test func `an encoded report has every key`() throws {
        let report = StageReport(
            account: "a",
            source: "s",
            author: "x",
            loaded: 5,
            added: [Self.line()],
            removed: [Self.line("bob", denied: "send")],
            unchanged: [],
            stillWithdrawn: [],
            unconfirmed: [],
            unresolved: [],
            notes: []
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = String(decoding: try encoder.encode(report), as: UTF8.self)
        #expect(text.contains(#""folder":null"#) && text.contains(#""via":null"#))
        #expect(try JSONDecoder().decode(StageReport.self, from: Data(text.utf8)) == report)
        #expect(
            StageReport.changes([report, report]) == [
                "- a bob denied send", "+ a anna lr in all, send none", "- a bob denied send",
                "+ a anna lr in all, send none",
            ]
        )
    }
}
