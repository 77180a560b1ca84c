import IMAP
import NIOCore
import Testing

/// Each limit of a command's parts: so many are taken, and one more is refused.
@Suite struct CommandLimitsTests {
    /// A command with so many parts.
    struct Limit: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var most: Int
        var command: @Sendable (Int) -> String

        init(_ name: String, _ most: Int, _ command: @escaping @Sendable (Int) -> String) {
            self.testDescription = name
            self.most = most
            self.command = command
        }
    }

    private static func list(_ count: Int, _ part: (Int) -> String) -> String {
        (0..<count).map(part).joined(separator: " ")
    }

    static let limits = [
        Limit("attributes of a FETCH", 100) { count in
            "FETCH 1 (" + list(count) { "BODY.PEEK[\($0 + 1)]" } + ")"
        },
        Limit("parts of a section", 32) { count in
            "FETCH 1 BODY[" + Array(repeating: "1", count: count).joined(separator: ".") + "]"
        },
        Limit("criteria of a SORT", 16) { count in
            "SORT (" + list(count) { _ in "SUBJECT" } + ") UTF-8 ALL"
        },
        Limit("patterns of a LIST", 16) { count in "LIST \"\" (" + list(count) { "p\($0)" } + ")" },
        Limit("groups of a NOTIFY", 16) { count in
            "NOTIFY SET " + list(count) { "(MAILBOXES m\($0) (MessageNew MessageExpunge))" }
        },
        Limit("mailboxes of a NOTIFY", 256) { count in
            "NOTIFY SET (MAILBOXES (" + list(count) { "m\($0)" } + ") (MessageNew MessageExpunge))"
        },
        Limit("octets of a tag", 64) { count in String(repeating: "T", count: count) },
    ]

    private static func isTaken(_ limit: Limit, _ count: Int) -> Bool {
        let isTag = limit.testDescription == "octets of a tag"
        let text = isTag ? limit.command(count) + " NOOP" : "a1 " + limit.command(count)
        if case .command = CommandParser.parse(ByteBuffer(string: text)) { return true }
        return false
    }

    @Test(arguments: limits)
    func `as many as may be are taken, and one more is refused`(limit: Limit) {
        #expect(Self.isTaken(limit, 1))
        #expect(Self.isTaken(limit, limit.most - 1))
        #expect(Self.isTaken(limit, limit.most))
        #expect(!Self.isTaken(limit, limit.most + 1))
        #expect(!Self.isTaken(limit, 4 * limit.most))
    }

    @Test(arguments: [1_023, 1_024])
    func `a pattern has as many octets as it may`(count: Int) {
        let pattern = String(repeating: "x", count: count)
        guard case .command = CommandParser.parse(ByteBuffer(string: "a1 LIST \"\" \(pattern)"))
        else {
            Issue.record("\(count) octets are refused")
            return
        }
    }

    /// How deep a search may be, by each way to go deeper.
    @Test(arguments: ["NOT ", "OR ALL ", "("])
    func `a search is as deep as it may be, and no deeper`(opening: String) {
        func isTaken(_ depth: Int) -> Bool {
            let closing = opening == "(" ? String(repeating: ")", count: depth) : ""
            let text = "a1 SEARCH " + String(repeating: opening, count: depth) + "ALL" + closing
            if case .command = CommandParser.parse(ByteBuffer(string: text)) { return true }
            return false
        }
        let deepest = (1...200).last { isTaken($0) } ?? 0
        #expect((16...40).contains(deepest), "\(deepest)")
        #expect((1...deepest).allSatisfy { isTaken($0) })
        #expect((deepest + 1...deepest + 50).allSatisfy { !isTaken($0) })
    }

    @Test(arguments: [1, 2, 2_047, 2_048, 2_049, 10_000])
    func `a mailbox name has as many octets as it may`(count: Int) {
        let mailbox = ClientMailbox(wire: ByteBuffer(repeating: UInt8(ascii: "x"), count: count))
        #expect((mailbox.name != nil) == (count <= MailboxName.maximumOctets))
        #expect(mailbox.wire.readableBytes == count)
    }
}
