import IMAP
import NIOCore
import Testing

/// Long lines, held octets and memory.
@Suite struct ResponseReaderLimitTests {
    static let arrivalSizes = [1_000, 16_383, 16_384, 16_385, 20_000, 2_000_000]

    @Test(arguments: arrivalSizes)
    func `a long line of data passes completely, in fragments`(size: Int) {
        let line = "* SEARCH" + String(repeating: " 1234567", count: 200_000) + "\r\n"
        let reading = Reading(Array(line.utf8).cut(every: size))
        #expect(reading.texts == [line])
        #expect(reading.isInStep)
        #expect(reading.heldOctets <= ResponseReader.maximumFragmentOctets)
    }

    @Test func `a status response is one piece up to the limit, and refused beyond it`() {
        let longest = ResponseReader.maximumTextOctets
        for (count, isRefused) in [(longest - 2, false), (longest + 1, true)] {
            for head in ["* OK ", "G1 NO ", "+ "] {
                let line = head + String(repeating: "a", count: count - head.utf8.count) + "\r\n"
                for size in [1_000, 16_384, 2_000_000] {
                    let reading = Reading(Array(line.utf8).cut(every: size))
                    #expect(reading.error == (isRefused ? .lineTooLong : nil), "\(head) \(size)")
                    #expect(reading.texts == (isRefused ? [] : [line]))
                    #expect(reading.responses.allSatisfy { $0.parts.count == 1 })
                }
            }
        }
    }

    @Test(arguments: ["* OK ", "G1 OK ", "+ ", "* BYE "])
    func `a status response without end is refused`(head: String) {
        let endless = Array((head + String(repeating: "a", count: 200_000)).utf8)
        let reading = Reading(endless.cut(every: 1_000))
        #expect(reading.error == .lineTooLong)
        #expect(reading.heldOctets <= ResponseReader.maximumTextOctets + 1_000)
        #expect(reading.unfinished.parts.isEmpty, "no part of a status is given")
    }

    /// Otherwise a user could invent so many flags that the mailbox cannot be selected.
    @Test(arguments: [1_000, 16_383, 65_535, 65_536, 65_537, 65_538, 65_539, 2_000_000])
    func `a list of permanent flags that is too long is truncated`(size: Int) {
        let longest = ResponseReader.maximumTextOctets
        for count in [longest - 2, longest, longest + 1, longest + 2, 300_000] {
            let head = "* OK [PERMANENTFLAGS (" + String(repeating: "a ", count: count / 2)
            let line = head.prefix(count) + (count % 2 == 0 ? "" : "b")
            let next = "* 1 EXISTS\r\n"
            let reading = Reading(Array("\(line)\r\n\(next)".utf8).cut(every: size))
            #expect(reading.error == nil)
            let cut = line.prefix(longest).prefix { $0 != "b" }.split(separator: " ")
            let whole = line.utf8.count <= longest
            let expected = whole ? String(line) : cut.joined(separator: " ") + ")] and more"
            #expect(reading.texts == [expected + "\r\n", next], "\(count)")
            #expect(reading.isInStep)
            #expect(reading.heldOctets <= max(longest, size) + 1_000)
        }
    }

    @Test func `an announcement at the end of a long line is never split`() {
        for padding in stride(from: 16_340, through: 16_400, by: 1) {
            let head = "* 1 FETCH (X " + String(repeating: "y", count: padding)
            let text = head + " BODY[] {5}\r\nhello)\r\n"
            for size in [1_000, 16_384, 16_390, 16_400] {
                let reading = Reading(Array(text.utf8).cut(every: size))
                #expect(reading.texts == [text])
                #expect(reading.responses.first?.parts.map(\.kind) == [.line, .literal, .line])
            }
        }
    }

    /// A count that is too long to be held back completely must not pass as text.
    @Test(arguments: [11, 12, 13, 14, 15, 23, 40_000])
    func `an announcement with too many digits is refused regardless of where the line is split`(
        digits: Int
    ) {
        let count = String(repeating: "0", count: digits - 1) + "5"
        for padding in [10, 16_350, 16_360, 16_365, 16_370, 16_375, 16_380, 16_384] {
            let text =
                "* 1 FETCH (X " + String(repeating: "y", count: padding)
                + " {\(count)}\r\nhello)\r\n"
            for size in [1, 7, 1_000, 16_384, 16_385, 16_390, 2_000_000]
            where size > 1 || padding == 16_370 {
                let reading = Reading(Array(text.utf8).cut(every: size))
                #expect(reading.error == .literalTooLarge, "\(padding) octets, every \(size)")
            }
        }
    }

    @Test func `digits and braces within a long line are text`() {
        let text =
            "* 1 FETCH (X \"" + String(repeating: "{12345678901234567890} {5", count: 4_000)
            + "\")\r\n"
        for size in [1_000, 16_384, 16_390, 2_000_000] {
            #expect(Reading(Array(text.utf8).cut(every: size)).texts == [text])
        }
    }

    /// Each arrival ends within a line, so the buffer is never empty.
    @Test func `octets that were read are released`() throws {
        var reader = ResponseReader()
        reader.receive(ByteBuffer(string: "* 1 EXI"))
        let arrival = ByteBuffer(
            string: "STS\r\n" + String(repeating: "* 1 EXISTS\r\n", count: 100) + "* 1 EXI"
        )
        var pieces: [ResponseReader.Piece] = []
        for _ in 0..<2_000 {
            reader.receive(arrival)
            pieces.removeAll()
            while let piece = try reader.next() { pieces.append(piece) }
            #expect(pieces.count == 101)
        }
        let held = reader.takeBuffered()
        #expect(held.readableBytes == 7)
        #expect(held.storageCapacity <= 64 * 1_024)
    }

    @Test func `nesting does not use the stack`() {
        let bomb = "* 1 FETCH (BODYSTRUCTURE " + String(repeating: "(", count: 1_000_000) + "\r\n"
        #expect(Reading(Array(bomb.utf8).cut(every: 16_384)).texts == [bomb])
        let namespace = "* NAMESPACE ((\"\" \"/\" " + String(repeating: "(", count: 60_000) + "\r\n"
        #expect(throws: SyntaxError.self) { try NamespaceResponse(ByteBuffer(string: namespace)) }
        let list = "* LIST () \"/\" x " + String(repeating: "(", count: 60_000) + "\r\n"
        #expect(throws: SyntaxError.self) { try ListResponse(ByteBuffer(string: list)) }
        let status = "* STATUS x (" + String(repeating: "(", count: 60_000) + "\r\n"
        #expect(throws: SyntaxError.self) { try StatusResponse(ByteBuffer(string: status)) }
    }
}
