import Access
import Foundation
import Support
import Testing

@testable import Store

/// The lines that list changes.
@Suite struct DocumentLinesTests {
    /// Texts with and without need of escapes.
    private static let texts = [
        "", "a", "bob@kanzlei.example", "/", "\"", "\\", "\n", "\u{1}", "\u{7F}", "\u{E9}",
        "\u{2028}", "\u{1F600}",
        "a\u{0}b", "e\u{301}",
    ]

    @Test func `a line is what an encoder writes`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var generator = Seeded(state: 7)
        func text() -> String { Self.texts.randomElement(using: &generator) ?? "" }
        func maybe() -> String? { Bool.random(using: &generator) ? text() : nil }
        func flag() -> Bool? { [nil, true, false].randomElement(using: &generator) ?? nil }
        func server() -> AccountRow.Server {
            .init(host: text(), port: Int.random(in: -1...70_000, using: &generator), tls: text())
        }
        let lines = DocumentLines()
        func check(_ entry: some DocumentEntry) throws {
            let expected = String(decoding: try encoder.encode(entry), as: UTF8.self)
            #expect(lines.line("kind", value: entry) == ExactText("kind \(expected)"))
        }
        for _ in 0..<500 {
            try check(
                UserRow(
                    login: text(),
                    name: maybe(),
                    role: maybe(),
                    disabled: flag() == true,
                    osUser: maybe()
                )
            )
            try check(
                GroupRow(
                    name: text(),
                    members: [text(), text(), text()].filter { _ in flag() == true }
                )
            )
            try check(
                ModelDocument.Account(
                    address: text(),
                    kind: text(),
                    owner: maybe(),
                    aliases: maybe().map { [$0, text()] },
                    imap: server(),
                    smtp: flag() == true ? server() : nil,
                    sentCopy: maybe(),
                    sentCopyRequired: flag(),
                    username: maybe(),
                    caFile: maybe()
                )
            )
            try check(
                ModelDocument.Grant(
                    account: text(),
                    subject: text(),
                    rights: maybe(),
                    send: maybe(),
                    scope: flag().map { .folder(text(), isSubtree: $0) } ?? .account,
                    until: flag().map { _ in Int64.random(in: -5...5, using: &generator) },
                    source: maybe(),
                    reason: maybe(),
                    confirmed: flag()
                )
            )
            try check(ModelDocument.Wall(account: text(), subject: text(), reason: text()))
        }
    }
}
