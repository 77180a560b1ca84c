import Gateway
import NIOCore

/// Messages of a submitting client, through its handler, its session and the server's channel.
enum SubmissionPaths {
    static func all(_ bench: Bench) -> [Path] {
        [
            Path(
                name: "submission-header-10-kib",
                unit: "message",
                rounds: 10_000,
                countedRounds: 50
            ) {
                let dialog = try Dialog(bench, octets: 10 * 1_024)
                let counted: Set<Dialog.Step> = [.header]
                return { try dialog.send(rounds: $0, meter: $1, counted: counted) }
            },
            Path(
                name: "submission-message-10-kib",
                unit: "message",
                rounds: 10_000,
                countedRounds: 50
            ) {
                let dialog = try Dialog(bench, octets: 10 * 1_024)
                let counted = Set(Dialog.Step.allCases)
                return { try dialog.send(rounds: $0, meter: $1, counted: counted) }
            },
            Path(
                name: "submission-data-1-mib",
                unit: "message",
                rounds: 500,
                countedRounds: 5
            ) {
                let dialog = try Dialog(bench, octets: 1 << 20)
                let counted: Set<Dialog.Step> = [.header, .body]
                return { try dialog.send(rounds: $0, meter: $1, counted: counted) }
            },
        ]
    }
}

/// A client that is logged in, and its server.
private final class Dialog {
    /// The parts of a transaction.
    enum Step: CaseIterable {
        /// MAIL, RCPT and DATA.
        case envelope
        /// The first octets of the message, with the whole header: after them DATA is sent to the
        /// server.
        case header
        /// The rest of the message, up to the answer of the server.
        case body
    }

    private let bench: Bench
    private let client: Peer
    private let octets: Int
    private let message: [UInt8]
    /// The server of the account; nil before the first message.
    private var server: Peer?

    /// - Parameter octets: the size of each message.
    init(_ bench: Bench, octets: Int) throws {
        self.bench = bench
        self.octets = octets
        self.message = TestMessage.data(octets: octets)
        self.client = try self.bench.connect(.submissions)
        try self.client.expect("220 ")
        try self.client.deliver("EHLO client.kanzlei.example\r\n")
        try self.client.expect("250-")
        try self.client.deliver("AUTH PLAIN \(Bench.plain)\r\n")
        try self.client.expect("235 ")
    }

    /// Sends messages to one recipient, and counts some steps (RFC 5321 §3.3).
    func send(rounds: Int, meter: Meter, counted: Set<Step>) throws {
        for _ in 0..<rounds {
            try self.sendOne { step, work in
                if counted.contains(step) { try meter.measure(work) } else { try work() }
            }
        }
    }

    private func sendOne(_ measure: (Step, () throws -> Void) throws -> Void) throws {
        let mail = ByteBuffer(string: "MAIL FROM:<\(Bench.user)> SIZE=\(self.octets)\r\n")
        try measure(.envelope) { try self.client.deliver(mail) }
        let server = try self.connectedServer()
        /// A command of the client, which goes to the server, and its answer.
        func answer(_ command: String, line: String, step: Step) throws {
            try server.expect(command)
            let reply = ByteBuffer(string: line)
            try measure(step) { try server.deliver(reply) }
        }
        try answer("MAIL ", line: "250 2.1.0 Ok\r\n", step: .envelope)
        try self.client.expect("250 ")
        let recipient = ByteBuffer(string: "RCPT TO:<bob@mandant.example>\r\n")
        try measure(.envelope) { try self.client.deliver(recipient) }
        try answer("RCPT ", line: "250 2.1.5 Ok\r\n", step: .envelope)
        try self.client.expect("250 ")
        let data = ByteBuffer(string: "DATA\r\n")
        try measure(.envelope) { try self.client.deliver(data) }
        try self.client.expect("354 ")
        // The gateway alone holds what it was given: it would copy a buffer that others hold.
        var reads = Array(reads(of: self.message).reversed())
        let first = reads.removeLast()
        try measure(.header) { try self.client.deliver(first) }
        try answer("DATA\r\n", line: "354 End data with <CR><LF>.<CR><LF>\r\n", step: .body)
        while let read = reads.popLast() { try measure(.body) { try self.client.deliver(read) } }
        guard try server.received().readableBytes == self.message.count else {
            throw UnexpectedAnswer("another size", expected: "the whole message")
        }
        let verdict = ByteBuffer(string: "250 2.0.0 Ok: queued as 4TqZ8X3YbVz9rw\r\n")
        try measure(.body) { try server.deliver(verdict) }
        try self.client.expect("250 ")
    }

    /// The server, which is connected and logged in to with the first message.
    private func connectedServer() throws -> Peer {
        if let server = self.server { return server }
        guard let server = self.bench.connector.takeServer() else {
            throw UnexpectedAnswer("nothing", expected: "a connection to a server")
        }
        try server.deliver("220 mail.kanzlei.example ESMTP\r\n")
        try server.expect("EHLO ")
        try server.deliver(
            "250-mail.kanzlei.example\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n"
        )
        try server.expect("AUTH ")
        try server.deliver("235 2.7.0 Ok\r\n")
        self.server = server
        return server
    }
}
