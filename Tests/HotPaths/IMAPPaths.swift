import Gateway
import NIOCore

/// Commands of an IMAP client, through its handler, its session and the server's channel.
enum IMAPPaths {
    static func all(_ bench: Bench) -> [Path] {
        [
            Path(
                name: "imap-noop-selected",
                unit: "command",
                rounds: 100_000,
                countedRounds: 200
            ) {
                let dialog = try Dialog(bench, selects: true)
                return { try dialog.noop(rounds: $0, meter: $1) }
            },
            Path(
                name: "imap-noop-unselected",
                unit: "command",
                rounds: 100_000,
                countedRounds: 200
            ) {
                let dialog = try Dialog(bench, selects: false)
                return { try dialog.noopWithoutServer(rounds: $0, meter: $1) }
            },
            Path(
                name: "imap-fetch-1-mib",
                unit: "response",
                rounds: 500,
                countedRounds: 5
            ) {
                let dialog = try Dialog(bench, selects: true)
                return { try dialog.fetch(octets: 1 << 20, rounds: $0, meter: $1) }
            },
        ]
    }
}

/// A client that is logged in, and its server.
private final class Dialog {
    private let bench: Bench
    private let client: Peer
    /// The server of the mailbox; nil until the gateway has connected to it.
    private var server: Peer?

    init(_ bench: Bench, selects: Bool) throws {
        self.bench = bench
        self.client = try bench.connect(.imaps)
        try self.client.expect("* OK ")
        try self.run("a AUTHENTICATE PLAIN \(Bench.plain)", answer: "a OK ")
        if selects { try self.run("b SELECT INBOX", answer: "* ") }
    }

    /// Sends a command, and answers all that the gateway asks the server for it, with a login at a
    /// new connection.
    private func run(_ command: String, answer: String) throws {
        try self.client.deliver("\(command)\r\n")
        if let server = self.bench.connector.takeServer() {
            self.server = server
            try server.deliver("* OK ready\r\n")
        }
        while let octets = try self.server?.received(), octets.readableBytes > 0 {
            for line in String(buffer: octets).split(separator: "\r\n") {
                try self.server?.deliver(Self.answer(to: String(line)))
            }
        }
        try self.client.expect(answer)
    }

    /// The server's answer to a command.
    private static func answer(to line: String) -> String {
        let words = line.replacing("\r\n", with: "").split(separator: " ")
        let tag = words.first ?? ""
        let lines =
            switch words.dropFirst().first {
            case "CAPABILITY":
                ["* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+ UIDPLUS MOVE IDLE NAMESPACE"]
            case "NAMESPACE": ["* NAMESPACE ((\"\" \"/\")) NIL NIL"]
            case "LIST": ["* LIST (\\Noselect) \"/\" \"\""]
            case "SELECT":
                [
                    "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)",
                    "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] Limited",
                    "* 172 EXISTS", "* 0 RECENT", "* OK [UIDVALIDITY 3857529045] Valid",
                    "* OK [UIDNEXT 4392] Next",
                ]
            default: [String]()
            }
        return (lines + ["\(tag) OK done\r\n"]).joined(separator: "\r\n")
    }

    /// The tag of the command that the server received, with a space behind it.
    private func tag(of command: String) throws -> ByteBuffer {
        var line = try self.server?.received() ?? ByteBuffer()
        let end = line.readableBytesView.firstIndex(of: UInt8(ascii: " ")) ?? line.readerIndex
        guard let tag = line.readSlice(length: end + 1 - line.readerIndex),
            line.readableBytesView.starts(with: command.utf8)
        else { throw UnexpectedAnswer(String(buffer: line), expected: command) }
        return tag
    }

    /// NOOP with a selected mailbox: the server answers it (RFC 9051 §6.1.2).
    func noop(rounds: Int, meter: Meter) throws {
        for _ in 0..<rounds {
            let command = ByteBuffer(string: "c NOOP\r\n")
            try meter.measure { try self.client.deliver(command) }
            var answer = try self.tag(of: "NOOP\r\n")
            answer.writeString("OK NOOP completed (0.001 + 0.000 secs).\r\n")
            try meter.measure { try self.server?.deliver(answer) }
            try self.client.expect("c OK ")
        }
    }

    /// NOOP without a selected mailbox: the gateway answers it.
    func noopWithoutServer(rounds: Int, meter: Meter) throws {
        for _ in 0..<rounds {
            let command = ByteBuffer(string: "c NOOP\r\n")
            try meter.measure { try self.client.deliver(command) }
            try self.client.expect("c OK ")
        }
    }

    /// FETCH of a message with so many octets, in the largest reads (RFC 9051 §6.4.5).
    func fetch(octets: Int, rounds: Int, meter: Meter) throws {
        let head = "* 7 FETCH (UID 4391 BODY[] {\(octets)}\r\n"
        let message = Array(TestMessage.text(octets: octets).utf8)
        for _ in 0..<rounds {
            let command = ByteBuffer(string: "d UID FETCH 4391 (BODY.PEEK[])\r\n")
            try meter.measure { try self.client.deliver(command) }
            let tag = try self.tag(of: "UID FETCH")
            let end = ")\r\n\(String(buffer: tag))OK Fetch completed (0.001 + 0.000 secs).\r\n"
            let response = Array(head.utf8) + message + Array(end.utf8)
            var reads = Array(reads(of: response).reversed())
            while let read = reads.popLast() {
                try meter.measure { try self.server?.deliver(read) }
            }
            let received = try self.client.expect("* 7 FETCH ")
            guard received.readableBytes > octets,
                received.readableBytesView.suffix(64).contains(UInt8(ascii: "d"))
            else { throw UnexpectedAnswer("a part", expected: "the whole message") }
        }
    }
}
