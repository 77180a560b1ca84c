import Foundation
import Testing

@testable import Store

@Suite struct AuditAnchorTests {
    private static let hash = String(repeating: "0f", count: 32)

    @Test(arguments: [
        ("7:HASH", "", 7), ("one:7:HASH", "one", 7), ("5:7:HASH", "5", 7), ("a:b:7:HASH", "a:b", 7),
        (":a:7:HASH", ":a", 7), ("::7:HASH", ":", 7), ("a b:0:HASH", "a b", 0),
        ("e\u{301}:7:HASH", "e\u{301}", 7), ("a:\u{301}:7:HASH", "a:\u{301}", 7),
        ("7:8:9:HASH", "7:8", 9),
    ])
    func `an anchor is read from its end`(text: String, node: String, sequence: Int64) throws {
        let full = text.replacing("HASH", with: Self.hash)
        let anchor = try #require(AuditAnchor(full))
        #expect(anchor.node.utf8.elementsEqual(node.utf8))
        #expect(anchor.sequence == sequence && anchor.hash == Data(repeating: 15, count: 32))
        #expect(anchor.description.utf8.elementsEqual(full.utf8))
    }

    @Test(arguments: [
        "", ":", "7", "HASH", ":HASH", "one:HASH", "7:", "7:HASH0", "7:HASH:", ":7:HASH", "7:8:",
        "7.0:HASH", "one:9223372036854775808:HASH", "7: HASH",
    ])
    func `another form is no anchor`(text: String) {
        #expect(AuditAnchor(text.replacing("HASH", with: Self.hash)) == nil)
    }
}
