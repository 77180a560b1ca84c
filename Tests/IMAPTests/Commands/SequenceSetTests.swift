import IMAP
import NIOCore
import Support
import Testing

/// Sets of messages: as they are read and written, and which numbers are in them.
@Suite struct SequenceSetTests {
    private static func read(_ text: String) -> SequenceSet? {
        var cursor = Cursor(ByteBuffer(string: text))
        guard let set = try? cursor.sequenceSet(), cursor.isAtEnd else { return nil }
        return set
    }

    @Test(arguments: [
        ("1", "1"), ("1:3", "1:3"), ("3:1", "1:3"), ("*", "*"), ("1:*", "1:*"), ("*:1", "1:*"),
        ("*:*", "*"), ("2,4:7,9,12:*", "2,4:7,9,12:*"), ("4294967295", "4294967295"),
        ("1:4294967295", "1:4294967295"), ("5,5,5", "5,5,5"), ("3,1,2", "3,1,2"), ("$", "$"),
        ("7:7", "7"), ("1,*", "1,*"),
    ])
    func `a set is written as it is understood`(text: String, written: String) throws {
        let set = try #require(Self.read(text))
        #expect(String(buffer: set.text) == written)
        #expect(Self.read(written) == set)
        #expect(set.isSavedResult == (text == "$"))
    }

    @Test(arguments: [
        "", "0", "00", "01", "1:0", "-1", "+1", "4294967296", "99999999999999999999", "1:", ":1",
        "1,", ",1", "1,,2", "1;2", "1 ", " 1", "1:2:3", "**", "$1", "1,$", "a", "1.5", "\u{661}",
    ])
    func `what is no set is refused`(text: String) {
        #expect(Self.read(text) == nil)
    }

    @Test func `a set has as many ranges as it may`() {
        let most = Array(repeating: "1", count: SequenceSet.maximumRanges).joined(separator: ",")
        #expect(Self.read(most) != nil)
        #expect(Self.read(most + ",1") == nil)
    }

    @Test func `a long set is written with as few ranges as say the same`() throws {
        let numbers = (1...1_500).map(String.init).joined(separator: ",")
        let set = try #require(Self.read(numbers))
        #expect(String(buffer: set.text) == "1:1500")
        let gaps = (0..<1_500).map { "\(3 * $0 + 1),\(3 * $0 + 2)" }.joined(separator: ",")
        let other = try #require(Self.read(gaps))
        #expect(other.ranges.count == 1_500)
        let numbersWithGaps = (0..<UInt32(1_500)).flatMap { number -> [UInt32] in
            [3 * number + 1, 3 * number + 2]
        }
        #expect(other.members(atMost: 4_000) == numbersWithGaps)
    }

    @Test(
        arguments: [
            ([], "$"), ([7], "7"), ([1, 2, 3], "1:3"), ([1, 3, 5], "1,3,5"), ([3, 2, 1], "3,2,1"),
            ([1, 2, 4, 5, 9], "1:2,4:5,9"), ([5, 5], "5,5"),
            ([.max - 1, .max], "4294967294:4294967295"),
            ([.max, .max], "4294967295,4294967295"),
        ] as [([UInt32], String)]
    )
    func `numbers that follow each other are a range`(uids: [UInt32], text: String) {
        #expect(String(buffer: SequenceSet(uids: uids).text) == text)
    }

    @Test(arguments: 0..<6)
    func `the numbers of a set are those it was made of`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        let uids = (0..<400).map { _ in UInt32.random(in: 1...900, using: &random) }
        let set = SequenceSet(uids: uids)
        #expect(set.members(atMost: 400) == uids)
        #expect(set.members(atMost: 399) == nil)
        let known = Set(uids)
        for number in UInt32(1)...901 {
            #expect(set.surelyContains(number) == known.contains(number))
        }
        let batches = SequenceSet.batches(of: uids)
        #expect(batches.flatMap { $0.members(atMost: 400) ?? [] } == uids)
    }

    @Test func `many numbers are some commands, each short enough for a server`() {
        let uids = (0..<2_000).map { UInt32(2 * $0 + 4_000_000_000) }
        let batches = SequenceSet.batches(of: uids)
        #expect(batches.count == 6)
        #expect(batches.allSatisfy { $0.text.readableBytes < 8_000 })
        #expect(batches.flatMap { $0.members(atMost: 2_000) ?? [] } == uids)
        #expect(SequenceSet.batches(of: []).isEmpty)
    }

    @Test(
        arguments: [
            ("1:*", 1, true), ("5:*", 4, false), ("5:*", 5, true), ("*", 7, false), ("$", 7, false),
            ("1:3,7", 3, true), ("1:3,7", 4, false), ("1:3,7", 7, true),
            ("1:4294967295", .max, true),
        ] as [(String, UInt32, Bool)]
    )
    func `a number is surely in a set where the mailbox need not be known`(
        text: String,
        number: UInt32,
        isIn: Bool
    ) throws {
        #expect(try #require(Self.read(text)).surelyContains(number) == isIn)
    }

    @Test(arguments: ["*", "1:*", "1,*"])
    func `a set with the last message has no numbers of its own`(text: String) throws {
        #expect(try #require(Self.read(text)).members(atMost: 1_000) == nil)
    }

    @Test func `a set from a number on is that number and the last`() {
        #expect(String(buffer: SequenceSet(from: 8).text) == "8:*")
        #expect(SequenceSet(from: 8).surelyContains(8))
        #expect(!SequenceSet(from: 8).surelyContains(7))
    }
}

/// Flags that a client may set.
@Suite struct FlagTests {
    @Test(arguments: [
        ("\\Seen", Flag.seen), ("\\SEEN", .seen), ("\\answered", .answered),
        ("\\Flagged", .flagged),
        ("\\Deleted", .deleted), ("\\Draft", .draft),
        ("$Forwarded", .keyword(ByteBuffer(string: "$Forwarded"))),
        ("Wichtig", .keyword(ByteBuffer(string: "Wichtig"))),
    ])
    func `a flag is known by its name in any case`(text: String, flag: Flag) {
        #expect(Flag(ByteBuffer(string: text)) == flag)
        #expect(Flag(flag.text) == flag)
    }

    @Test(arguments: [
        "", "\\", "\\*", "\\Recent", "\\Unknown", "a b", "\\Seen ", " \\Seen", "\"x\"", "a(b",
        "\\\\Seen",
        "a{1}", "M\u{FC}ll", "\\Seen\r\n",
    ])
    func `what a client cannot set is no flag`(text: String) {
        #expect(Flag(ByteBuffer(string: text)) == nil)
    }
}
