import Foundation
import IMAP
import NIOCore
import Support
import Testing

/// What goes to a server: no octet of a value ends a line, begins a literal or is read as another value.
@Suite struct CommandEncoderTests {
    private static func wire(
        _ literals: LiteralForm,
        _ write: (inout CommandEncoder) -> Void
    ) -> [String] {
        var encoder = CommandEncoder(tag: ByteBuffer(string: "t"), literals: literals)
        write(&encoder)
        return encoder.finish().map { String(decoding: $0.readableBytesView, as: UTF8.self) }
    }

    /// What a reader of commands makes of it.
    private static func read(_ segments: [ByteBuffer]) -> [ByteBuffer] {
        var reader = CommandReader(limits: .afterLogin)
        var commands: [ByteBuffer] = []
        for segment in segments {
            reader.receive(segment)
            while let event = try? reader.next() {
                if case .command(let frame) = event { commands.append(frame) }
            }
        }
        return commands
    }

    @Test(arguments: 0..<12)
    func `any octets are one command with one value in it`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        let pool = Array("ab \"\\{}()%*\r\n+]NIL~/\u{E4}".utf8) + [0, 0x7F, 0xFF]
        for _ in 0..<200 {
            let count = Int.random(in: 0..<24, using: &random)
            let value = (0..<count).map { _ in pool[Int.random(in: pool.indices, using: &random)] }
            for literals in [LiteralForm.synchronizing, .nonSynchronizing] {
                var encoder = CommandEncoder(tag: ByteBuffer(string: "t"), literals: literals)
                encoder.write(word: "DELETE")
                encoder.write(astring: ByteBuffer(bytes: value))
                let segments = encoder.finish()
                let commands = Self.read(segments)
                #expect(commands.count == 1, "\(value)")
                // NUL may be in no string (RFC 9051 §9).
                guard let frame = commands.first, !value.contains(0), !value.isEmpty,
                    case .command(_, .delete(let mailbox)) = CommandParser.parse(frame)
                else { continue }
                #expect(Array(mailbox.wire.readableBytesView) == value, "\(value)")
            }
        }
    }

    @Test(arguments: [1, 2, 500, 999, 1_000, 1_001, 5_000])
    func `a long string goes as a literal, and a short one in quotes`(count: Int) {
        let value = String(repeating: "a b", count: count / 3 + 1).prefix(count)
        let text = Self.wire(.nonSynchronizing) {
            $0.write(string: ByteBuffer(string: String(value)))
        }
        .joined()
        #expect(text.contains("\"") == (count <= 1_000), "\(count)")
        #expect(text.contains("{\(count)+}\r\n") == (count > 1_000), "\(count)")
    }

    @Test func `each literal that waits begins a segment, and the last has the end of the line`() {
        let segments = Self.wire(.synchronizing) {
            for text in ["\u{E4}", "b", "\u{F6}"] { $0.write(astring: ByteBuffer(string: text)) }
        }
        #expect(segments == ["t {2}\r\n", "\u{E4} b {2}\r\n", "\u{F6}\r\n"])
        #expect(segments.dropLast().allSatisfy { $0.hasSuffix("}\r\n") })
    }

    @Test(arguments: [0, 1, UInt64(UInt32.max), 9_223_372_036_854_775_807])
    func `a number is its digits`(number: UInt64) {
        #expect(Self.wire(.synchronizing) { $0.write(number: number) } == ["t \(number)\r\n"])
    }

    @Test(
        arguments: [(false, "{7}"), (true, "~{7}")],
        [LiteralForm.synchronizing, .nonSynchronizing]
    )
    func `a message waits for the server, whatever the other literals do`(
        _ announcement: (isLiteral8: Bool, text: String),
        literals: LiteralForm
    ) {
        var encoder = CommandEncoder(tag: ByteBuffer(string: "t"), literals: literals)
        encoder.write(word: "APPEND")
        encoder.write(mailbox: ByteBuffer(string: "INBOX"))
        encoder.write(
            flags: [.seen],
            date: nil,
            octets: 7,
            isLiteral8: announcement.isLiteral8
        )
        let segments = encoder.finishWithoutLineEnd().map { String(buffer: $0) }
        #expect(segments == ["t APPEND INBOX (\\Seen) \(announcement.text)\r\n"])
    }

    @Test func `a value that looks like the announcement of a literal ends no line`() {
        for value in ["x {5}", "x {5+}", "{0}", "a\"{1}"] {
            let segments = Self.wire(.nonSynchronizing) {
                $0.write(word: "SEARCH TEXT")
                $0.write(string: ByteBuffer(string: value))
            }
            let lines = segments.joined().components(separatedBy: "\r\n")
            #expect(lines.count == 2 && !lines[0].hasSuffix("}"), "\(lines)")
        }
    }
}
