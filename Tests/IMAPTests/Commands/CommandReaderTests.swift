import IMAP
import NIOCore
import Support
import Testing

@Suite struct CommandReaderTests {
    /// A conversation as events of the reader, regardless of splits: the octets of a message are
    /// joined.
    private static func events(
        _ text: String,
        chunk: Int,
        limits: CommandReader.Limits = .afterLogin,
        accept: Bool = true
    ) -> [String] {
        var reader = CommandReader(limits: limits)
        var found: [String] = []
        var octets = Array(text.utf8)[...]
        while !octets.isEmpty {
            let piece = octets.prefix(chunk)
            octets = octets.dropFirst(piece.count)
            reader.receive(ByteBuffer(bytes: piece))
            do {
                while let event = try reader.next() {
                    Self.note(event, &found)
                    guard case .message = event else { continue }
                    if accept { reader.acceptMessage() } else { reader.refuseMessage() }
                }
            } catch {
                return found + ["!"]
            }
        }
        return found
    }

    private static func note(_ event: CommandReader.Event, _ found: inout [String]) {
        switch event {
        case .command(let frame): found.append("C " + String(buffer: frame))
        case .continuationNeeded: found.append("+")
        case .commandRefused(let tag): found.append("R " + (tag.map { String(buffer: $0) } ?? "-"))
        case .message(let head, let literal):
            let kind = (literal.isSynchronizing ? "s" : "n") + (literal.isLiteral8 ? "8" : "")
            found.append("M \(literal.octets)\(kind) \(String(buffer: head))")
        case .messageOctets(let octets):
            if let last = found.last, last.hasPrefix("O ") {
                found[found.count - 1] = last + String(buffer: octets)
            } else {
                found.append("O " + String(buffer: octets))
            }
        case .appendEnded(let rest): found.append("E " + String(buffer: rest))
        case .discarded: found.append("D")
        }
    }

    static let rows: [(String, [String])] = [
        ("A1 NOOP\r\n", ["C A1 NOOP"]),
        ("A1 NOOP\r\nA2 LOGOUT\r\n", ["C A1 NOOP", "C A2 LOGOUT"]),
        ("A1 NOOP", []),
        ("A1 NOOP\r", []),
        // Line ends: only CR LF.
        ("A1 NOOP\nA2 LOGOUT\r\n", ["!"]),
        ("A1 NOOP\rA2 SELECT x\r\n", ["!"]),
        ("A1 NOOP\r\r\n", ["!"]),
        ("A1 SELECT \"INBOX\r\nA2 NOOP\r\n", ["C A1 SELECT \"INBOX", "C A2 NOOP"]),
        ("A1\0A2 NOOP\r\n", ["!"]),
        // Literals.
        ("A1 SELECT {5+}\r\nINBOX\r\n", ["C A1 SELECT {5+}\r\nINBOX"]),
        ("A1 SELECT {5}\r\nINBOX\r\n", ["+", "C A1 SELECT {5}\r\nINBOX"]),
        ("A1 SELECT {0+}\r\n\r\nA2 NOOP\r\n", ["C A1 SELECT {0+}\r\n", "C A2 NOOP"]),
        ("A1 LOGIN {2+}\r\nab {2+}\r\ncd\r\n", ["C A1 LOGIN {2+}\r\nab {2+}\r\ncd"]),
        ("A1 X {4+}\r\n\r\n\r\n\r\n", ["C A1 X {4+}\r\n\r\n\r\n"]),
        ("A1 SELECT {+5}\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT {5++}\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT {5-}\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT { 5}\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT {5 }\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT {0x5}\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT {}\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT {\u{665}+}\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT {4294967301+}\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT {18446744073709551621+}\r\nINBOX\r\n", ["!"]),
        ("A1 SELECT {9999999}\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        // A brace is text unless it is directly before the line end and outside quotes.
        ("A1 SELECT \"x {15+}\"\r\nA2 NOOP\r\n", ["C A1 SELECT \"x {15+}\"", "C A2 NOOP"]),
        ("A1 SELECT \"x {15+}\r\nA2 NOOP\r\n", ["!"]),
        ("A1 SELECT \"a\\\" {3+}\"\r\n", ["C A1 SELECT \"a\\\" {3+}\""]),
        ("A1 NOOP {15+}\r\nA2 SELECT INBOX\r\n", ["C A1 NOOP {15+}\r\nA2 SELECT INBOX"]),
        ("A1 {15+}\r\nA2 SELECT INBOX\r\n", ["C A1 {15+}\r\nA2 SELECT INBOX"]),
        // Messages.
        (
            "A1 APPEND INBOX {3+}\r\nabc\r\nA2 NOOP\r\n",
            ["M 3n A1 APPEND INBOX ", "O abc", "E ", "C A2 NOOP"]
        ),
        (
            "A1 APPEND {5+}\r\nINBOX (\\Seen) ~{3}\r\na\0c\r\n",
            ["M 3s8 A1 APPEND {5+}\r\nINBOX (\\Seen) ", "O a\0c", "E "]
        ),
        (
            "A1 APPEND INBOX {3+}\r\nabcA2 NOOP\r\n",
            ["M 3n A1 APPEND INBOX ", "O abc", "E A2 NOOP"]
        ),
        (
            "A1 APPEND INBOX {1+}\r\na (\\Seen) {1+}\r\nb\r\n",
            ["M 1n A1 APPEND INBOX ", "O a", "M 1n  (\\Seen) ", "O b", "E "]
        ),
        ("A1 APPEND INBOX {0+}\r\n\r\nA2 NOOP\r\n", ["M 0n A1 APPEND INBOX ", "E ", "C A2 NOOP"]),
        ("A1 APPEND INBOX {999999999}\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 APPEND INBOX {999999999+}\r\nA2 NOOP\r\n", ["!"]),
        // Spaces.
        (
            "A1 APPEND  {5+}\r\nINBOX  {3+}\r\nabc \r\nA2 NOOP\r\n",
            ["M 3n A1 APPEND  {5+}\r\nINBOX  ", "O abc", "E  ", "C A2 NOOP"]
        ),
        // A message over its limit after another message.
        (
            "A1 APPEND INBOX {1+}\r\na {200000000}\r\nA2 NOOP\r\n",
            ["M 1n A1 APPEND INBOX ", "O a", "R -", "C A2 NOOP"]
        ),
    ]

    @Test(arguments: rows)
    func `octets become these events, regardless of where they are split`(
        text: String,
        expected: [String]
    ) {
        for chunk in [1, 2, 3, 7, Int.max] {
            #expect(Self.events(text, chunk: chunk) == expected, "cut every \(chunk) octets")
        }
    }

    static let refused: [(String, [String])] = [
        (
            "A1 APPEND x {29+}\r\nX1 DELETE \"Other Users/bob\"\r\n\r\nA2 NOOP\r\n",
            ["M 29n A1 APPEND x ", "D", "C A2 NOOP"]
        ),
        ("A1 APPEND x {4}\r\nA2 NOOP\r\n", ["M 4s A1 APPEND x ", "C A2 NOOP"]),
        (
            "A1 APPEND x {3+}\r\nabc (\\Seen) {8+}\r\nX NOOP\r\n\r\nA2 NOOP\r\n",
            ["M 3n A1 APPEND x ", "D", "C A2 NOOP"]
        ),
    ]

    @Test(arguments: refused)
    func `a refused message is discarded and never becomes a command`(
        text: String,
        expected: [String]
    ) {
        for chunk in [1, 2, 5, Int.max] {
            #expect(Self.events(text, chunk: chunk, accept: false) == expected)
        }
    }

    private static let long = String(repeating: "x", count: 9_000)

    /// Commands over a limit, by the limits before login, and the octets after them.
    static let oversized: [(String, [String])] = [
        ("A1 NOOP \(long)\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 NOOP \(long)", []),
        ("\(long)\r\nA2 NOOP\r\n", ["R -", "C A2 NOOP"]),
        ("\(long) NOOP\r\nA2 NOOP\r\n", ["R -", "C A2 NOOP"]),
        // Line ends have their usual meaning.
        ("A1 NOOP \(long)\nA2 NOOP\r\n", ["!"]),
        ("A1 NOOP \(long)\rA2 NOOP\r\n", ["!"]),
        ("A1 NOOP \(long)\0\r\nA2 NOOP\r\n", ["!"]),
        // Literals after a line that is too long.
        ("A1 X \(long) {9+}\r\nA2 NOOP\r\n\r\nA3 NOOP\r\n", ["R A1", "C A3 NOOP"]),
        ("A1 X \(long) {9}\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 X \(long) {2+}\r\nab \(long) {2+}\r\ncd\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 X \(long) ~{2+}\r\na\0\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 X \(long) {0000000000000000002+}\r\nab\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 X \(long) {00000000000000000002+}\r\nab\r\nA2 NOOP\r\n", ["!"]),
        ("A1 X \(long) {2-}\r\nab\r\nA2 NOOP\r\n", ["!"]),
        ("A1 X \(long)}\r\nA2 NOOP\r\n", ["!"]),
        ("A1 X {2+}\r\nab}\r\nA2 NOOP\r\n", ["C A1 X {2+}\r\nab}", "C A2 NOOP"]),
        // An open quote stays open.
        ("A1 X \"\(long) {9+}\"\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 X \"\(long) {9+}\r\nA2 NOOP\r\n", ["!"]),
        ("A1 X \"\(long)\\\" {9+}\r\nA2 NOOP\r\n", ["!"]),
        // Literals over a limit.
        ("A1 X {5000+}\r\n\(long.prefix(5_000)) {2+}\r\nab\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 X {5000}\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        (
            "A1 X\(String(repeating: " {0+}\r\n", count: 8)) {0}\r\nA2 NOOP\r\n",
            ["R A1", "C A2 NOOP"]
        ),
        ("A1 X\(String(repeating: " {0+}\r\n", count: 99))\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 X\(String(repeating: " {0+}\r\n", count: 9_999))\r\nA2 NOOP\r\n", ["!"]),
        ("A1 X {4+}\r\nabcd \(long)\r\nA2 NOOP\r\n", ["R A1", "C A2 NOOP"]),
        ("A1 X {99999+}\r\nA2 NOOP\r\n", ["!"]),
        ("A1 NOOP \(String(repeating: long, count: 8))", ["!"]),
    ]

    @Test(arguments: oversized.indices)
    func `a command over a limit is discarded up to its end`(row: Int) {
        let (text, expected) = Self.oversized[row]
        for chunk in [1, 7, 4_096, Int.max] {
            let events = Self.events(text, chunk: chunk, limits: .beforeLogin)
            #expect(events == expected, "row \(row), cut every \(chunk) octets")
        }
    }

    @Test func `the largest valid ID is accepted before login`() {
        let quoted = String(repeating: " \"name\" \"\(Self.long.prefix(1_024))\"", count: 30)
        let literals = String(
            repeating: " {4+}\r\nname {1024+}\r\n\(Self.long.prefix(1_024))",
            count: 30
        )
        for fields in [quoted, literals] {
            let line = "A1 ID (\(fields.dropFirst()))"
            for chunk in [977, Int.max] {
                let events = Self.events(line + "\r\n", chunk: chunk, limits: .beforeLogin)
                #expect(events == ["C " + line])
            }
        }
    }

    @Test func `discarded octets are not kept in memory`() throws {
        for text in ["A1 NOOP ", "A1 SELECT {400000000+}\r\n"] {
            var reader = CommandReader(limits: .afterLogin)
            reader.receive(ByteBuffer(string: text))
            var most = 0
            for _ in 0..<320 {
                reader.receive(ByteBuffer(repeating: UInt8(ascii: "x"), count: 65_536))
                #expect(try reader.next() == nil)
                most = max(most, reader.bufferedOctets)
            }
            #expect(most <= 256 * 1_024 + 65_536)
            #expect(reader.bufferedOctets < 100)
        }
    }

    @Test func `lines have no literals during a SASL exchange`() throws {
        var reader = CommandReader(limits: .beforeLogin)
        reader.readsLines = true
        reader.receive(ByteBuffer(string: "abc{5+}\r\nDONE\r\n"))
        #expect(try reader.next() == .command(ByteBuffer(string: "abc{5+}")))
        #expect(try reader.next() == .command(ByteBuffer(string: "DONE")))
    }

    /// Limits that are so small that each one is reached.
    private static var small: CommandReader.Limits {
        var limits = CommandReader.Limits.afterLogin
        limits.maximumLineOctets = 30
        limits.maximumLiteralOctets = 8
        limits.maximumCommandOctets = 50
        limits.maximumLiterals = 2
        limits.maximumMessageOctets = 20
        limits.maximumDiscardedOctets = 150
        return limits
    }

    @Test(arguments: [true, false])
    func `mutated conversations neither trap nor depend on where they are split`(isSmall: Bool) {
        var generator = Seeded(state: 42)
        let limits = isSmall ? Self.small : .afterLogin
        let seeds = Self.rows.map { Array($0.0.utf8) } + Self.refused.map { Array($0.0.utf8) }
        let spice = Array("{}+\"\\\r\n\0 ~()5".utf8)
        for _ in 0..<20_000 {
            var octets = seeds.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !octets.isEmpty {
                let place = Int.random(in: 0..<octets.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: octets[place] = spice.randomElement(using: &generator) ?? 0
                case 1: octets.insert(spice.randomElement(using: &generator) ?? 0, at: place)
                default: octets.remove(at: place)
                }
            }
            let text = String(decoding: octets, as: UTF8.self)
            let whole = Self.events(text, chunk: .max, limits: limits)
            #expect(
                Self.events(text, chunk: 1, limits: limits) == whole,
                "\(text.debugDescription)"
            )
        }
    }
}
