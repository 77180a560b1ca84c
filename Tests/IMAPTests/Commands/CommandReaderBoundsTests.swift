import IMAP
import NIOCore
import Testing

/// Each limit of a client's commands at its last octet and at the one behind it, however it arrives.
@Suite struct CommandReaderBoundsTests {
    /// What a reader makes of octets; `refused` for a command over a limit, and `ended` for a connection.
    private static func read(
        _ text: String,
        limits: CommandReader.Limits,
        chunk: Int
    ) -> [String] {
        var reader = CommandReader(limits: limits)
        var seen: [String] = []
        var rest = ByteBuffer(string: text)
        while let piece = rest.readSlice(length: min(chunk, rest.readableBytes)),
            piece.readableBytes > 0
        {
            reader.receive(piece)
            do {
                while let event = try reader.next() { seen.append(self.name(event)) }
            } catch {
                return seen + ["ended"]
            }
        }
        return seen
    }

    private static func name(_ event: CommandReader.Event) -> String {
        switch event {
        case .command(let frame): "command \(frame.readableBytes)"
        case .continuationNeeded: "+"
        case .commandRefused(let tag): "refused \(tag.map { String(buffer: $0) } ?? "-")"
        case .message: "message"
        case .messageOctets: "octets"
        case .appendEnded: "append"
        case .discarded: "discarded"
        }
    }

    private static func limits(
        _ change: (inout CommandReader.Limits) -> Void
    ) -> CommandReader.Limits {
        var limits = CommandReader.Limits.afterLogin
        change(&limits)
        return limits
    }

    private static func expect(
        _ text: String,
        _ limits: CommandReader.Limits,
        _ expected: [String],
        _ comment: Comment
    ) {
        for chunk in [1, 2, 7, 64, Int.max] {
            #expect(self.read(text, limits: limits, chunk: chunk) == expected, comment)
        }
    }

    @Test(arguments: [16, 64, 500])
    func `a line has as many octets as it may`(maximum: Int) {
        let limits = Self.limits { $0.maximumLineOctets = maximum }
        for count in [maximum - 1, maximum] {
            let line = "a " + String(repeating: "x", count: count - 2)
            Self.expect(
                line + "\r\nb NOOP\r\n",
                limits,
                ["command \(count)", "command 6"],
                "\(count) of \(maximum)"
            )
        }
        let long = "a " + String(repeating: "x", count: maximum - 1)
        Self.expect(
            long + "\r\nb NOOP\r\n",
            limits,
            ["refused a", "command 6"],
            "one more than \(maximum)"
        )
    }

    @Test(arguments: [1, 10, 100])
    func `a literal has as many octets as it may`(maximum: Int) {
        let limits = Self.limits { $0.maximumLiteralOctets = maximum }
        func command(_ count: Int, _ plus: String) -> String {
            "a X {\(count)\(plus)}\r\n" + String(repeating: "y", count: count) + "\r\nb NOOP\r\n"
        }
        let octets = "a X {\(maximum)+}\r\n".utf8.count + maximum
        Self.expect(
            command(maximum, "+"),
            limits,
            ["command \(octets)", "command 6"],
            "\(maximum)"
        )
        Self.expect(
            command(maximum + 1, "+"),
            limits,
            ["refused a", "command 6"],
            "one more than \(maximum)"
        )
        // One that the client waits for does not come.
        Self.expect(
            "a X {\(maximum + 1)}\r\nb NOOP\r\n",
            limits,
            ["refused a", "command 6"],
            "announced"
        )
    }

    @Test(arguments: [1, 3, 20])
    func `a command has as many literals as it may`(maximum: Int) {
        let limits = Self.limits { $0.maximumLiterals = maximum }
        func command(_ count: Int) -> String {
            "a" + String(repeating: " {1+}\r\nx", count: count) + "\r\n"
        }
        let octets = command(maximum).utf8.count - 2
        Self.expect(
            command(maximum) + "b NOOP\r\n",
            limits,
            ["command \(octets)", "command 6"],
            "\(maximum)"
        )
        Self.expect(
            command(maximum + 1) + "b NOOP\r\n",
            limits,
            ["refused a", "command 6"],
            "one more than \(maximum)"
        )
    }

    @Test(arguments: [40, 400])
    func `a command has as many octets as it may, with its literals`(maximum: Int) {
        let limits = Self.limits { $0.maximumCommandOctets = maximum }
        func command(_ count: Int) -> String {
            let head = "a X {9+}\r\nyyyyyyyyy "
            return head + String(repeating: "z", count: count - head.utf8.count)
        }
        Self.expect(
            command(maximum) + "\r\nb NOOP\r\n",
            limits,
            ["command \(maximum)", "command 6"],
            "\(maximum)"
        )
        Self.expect(
            command(maximum + 1) + "\r\nb NOOP\r\n",
            limits,
            ["refused a", "command 6"],
            "one more than \(maximum)"
        )
    }

    @Test(arguments: [100, 5_000])
    func `what is read away ends, or the connection does`(maximum: Int) {
        let limits = Self.limits {
            $0.maximumLineOctets = 50
            $0.maximumDiscardedOctets = UInt64(maximum)
        }
        let short = "a " + String(repeating: "x", count: maximum / 2)
        Self.expect(short + "\r\nb NOOP\r\n", limits, ["refused a", "command 6"], "half")
        let long = "a " + String(repeating: "x", count: 2 * maximum)
        let seen = Self.read(long + "\r\nb NOOP\r\n", limits: limits, chunk: 16)
        #expect(seen.last == "ended" && !seen.contains("command 6"))
    }

    /// Before the login there is little room, and an ID has more.
    @Test func `an ID before the login may be longer than a login`() {
        let limits = CommandReader.Limits.beforeLogin
        let fields = String(
            repeating: "\"x\" \"\(String(repeating: "y", count: 1_000))\" ",
            count: 12
        )
        let identification = "a ID (\(fields)\"z\" NIL)"
        Self.expect(
            identification + "\r\nb NOOP\r\n",
            limits,
            ["command \(identification.utf8.count)", "command 6"],
            "ID"
        )
        let other = "a XX (\(fields)\"z\" NIL)"
        Self.expect(other + "\r\nb NOOP\r\n", limits, ["refused a", "command 6"], "another")
    }

    /// Octets at which two readers could disagree about where a line ends.
    @Test(arguments: ["a\rb\r\n", "a\nb\r\n", "a \0\r\n", "\n", "a NOOP\n", "a NOOP\r\r\n"])
    func `a line with an end that is none ends the connection, or is no command`(text: String) {
        for chunk in [1, Int.max] {
            let seen = Self.read(
                text + "b NOOP\r\n",
                limits: .afterLogin,
                chunk: chunk
            )
            #expect(seen == ["ended"], "\(text.debugDescription): \(seen)")
        }
    }

    @Test(arguments: [
        "a X {-1}\r\n", "a X {99999999999999999999}\r\n", "a X { 1}\r\n", "a X {1 }\r\n",
        "a X {+1}\r\n", "a X {}\r\n", "a X {1++}\r\n", "a X {0x1}\r\n",
    ])
    func `a line that ends like the announcement of a literal, and is none, announces none`(
        text: String
    ) {
        for chunk in [1, Int.max] {
            let seen = Self.read(text + "b NOOP\r\n", limits: .afterLogin, chunk: chunk)
            #expect(
                seen == ["ended"] || seen == ["command \(text.utf8.count - 2)", "command 6"]
                    || seen == ["refused a", "command 6"],
                "\(text): \(seen)"
            )
        }
    }

    /// The octets of a message are handed on, and nothing of them is taken for a command.
    @Test(arguments: [0, 1, 10, 5_000])
    func `a message is its octets, whatever stands in them`(count: Int) {
        let message =
            String(String(repeating: "\r\nb LOGOUT\r\n", count: count / 12 + 1).utf8.prefix(count))
            ?? ""
        let text = "a APPEND INBOX {\(count)+}\r\n\(message)\r\nc NOOP\r\n"
        for chunk in [1, 13, Int.max] {
            var reader = CommandReader(limits: .afterLogin)
            var octets: [UInt8] = []
            var seen: [String] = []
            var rest = ByteBuffer(string: text)
            while let piece = rest.readSlice(length: min(chunk, rest.readableBytes)),
                piece.readableBytes > 0
            {
                reader.receive(piece)
                while let event = try? reader.next() {
                    if case .messageOctets(let part) = event {
                        octets += part.readableBytesView
                    } else {
                        seen.append(Self.name(event))
                    }
                    if case .message = event { reader.acceptMessage() }
                }
            }
            #expect(octets == Array(message.utf8))
            #expect(seen == ["message", "append", "command 6"], "\(count) by \(chunk)")
        }
    }
}
