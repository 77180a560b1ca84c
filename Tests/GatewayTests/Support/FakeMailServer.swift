import NIOCore
import NIOPosix
import Synchronization

/// A mail server on this machine that answers by a script, and remembers what it was told.
///
/// Each command is answered with what the script has for its first word, with `\T` for the tag, or with OK.
final class FakeMailServer: Sendable {
    private struct State {
        var commands: [String] = []
        var messages: [String] = []
        var connections = 0
        var script: [String: String] = [:]
        var silent: Set<String> = []
    }

    private let state = Mutex(State())
    private let channel: any Channel
    private let group = MultiThreadedEventLoopGroup.singleton

    var port: Int { self.channel.localAddress?.port ?? 0 }

    /// Commands without their tags, in order, of all connections.
    var commands: [String] { self.state.withLock(\.commands) }

    /// The octets of each literal.
    var messages: [String] { self.state.withLock(\.messages) }

    var connections: Int { self.state.withLock(\.connections) }

    init(_ script: [String: String] = [:]) async throws {
        let box = Box()
        self.channel = try await ServerBootstrap(group: self.group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(box))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.state.withLock { $0.script = Self.standard.merging(script) { $1 } }
        box.server.withLock { $0 = self }
    }

    /// Answers these commands otherwise from now on.
    func answer(_ script: [String: String]) {
        self.state.withLock { $0.script.merge(script) { $1 } }
    }

    /// Does not answer these commands any more.
    func keepSilent(_ words: Set<String>) {
        self.state.withLock { $0.silent = words }
    }

    func stop() async throws {
        try await self.channel.close()
    }

    private static let capabilities =
        "IMAP4rev1 LITERAL+ UIDPLUS SASL-IR AUTH=PLAIN SPECIAL-USE"

    private static let standard = [
        "CAPABILITY": "* CAPABILITY \(capabilities)\r\n\\T OK done\r\n",
        "AUTHENTICATE": "\\T OK [CAPABILITY \(capabilities)] done\r\n",
        "LOGIN": "\\T OK [CAPABILITY \(capabilities)] done\r\n",
        "LIST \"\" \"\"": "* LIST (\\Noselect) \"/\" \"\"\r\n\\T OK done\r\n",
        "LIST": "* LIST () \"/\" INBOX\r\n* LIST (\\Sent) \"/\" Sent\r\n\\T OK done\r\n",
        "SELECT": "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 1] x\r\n"
            + "\\T OK [READ-WRITE] done\r\n",
        "EXAMINE": "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 1] x\r\n"
            + "\\T OK [READ-ONLY] done\r\n",
        "UID SEARCH": "* SEARCH\r\n\\T OK done\r\n",
        "APPEND": "\\T OK [APPENDUID 1 1] done\r\n",
    ]

    fileprivate func opened() -> String {
        self.state.withLock { $0.connections += 1 }
        return "* OK [CAPABILITY \(Self.capabilities)] ready\r\n"
    }

    /// - Returns: nil where nothing is said.
    fileprivate func said(_ line: String, message: String?) -> String? {
        let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        let command = parts[1]
        return self.state.withLock { state in
            state.commands.append(command)
            if let message { state.messages.append(message) }
            let known = state.script.keys.filter { command.uppercased().hasPrefix($0.uppercased()) }
                .max { $0.count < $1.count }
            if let known, state.silent.contains(known) { return nil }
            let text = known.flatMap { state.script[$0] } ?? "\\T OK done\r\n"
            return text.replacing("\\T", with: parts[0])
        }
    }

    private final class Box: Sendable {
        let server = Mutex<FakeMailServer?>(nil)
    }

    /// Lines, and literals that come without waiting.
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let box: Box
        private var received = ByteBuffer()
        private var line = ""
        private var literal: Int?
        private var message: String?

        init(_ box: Box) {
            self.box = box
        }

        func channelActive(context: ChannelHandlerContext) {
            guard let greeting = self.box.server.withLock({ $0?.opened() }) else { return }
            self.write(greeting, context)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.received.writeImmutableBuffer(self.unwrapInboundIn(data))
            while self.step(context) {}
        }

        private func step(_ context: ChannelHandlerContext) -> Bool {
            if let count = self.literal {
                guard let octets = self.received.readString(length: count) else { return false }
                self.message = octets
                self.literal = nil
            }
            guard let end = self.received.readableBytesView.firstIndex(of: 10),
                let part = self.received.readString(length: end - self.received.readerIndex + 1)
            else { return false }
            self.line += part.trimmingSuffix { $0.isNewline }
            if let match = self.line.firstMatch(of: /\{([0-9]+)(\+?)\}$/) {
                self.literal = Int(match.output.1)
                self.line = String(self.line[..<match.range.lowerBound]) + "LITERAL"
                if match.output.2.isEmpty { self.write("+ go\r\n", context) }
                return true
            }
            let answer = self.box.server.withLock { $0?.said(self.line, message: self.message) }
            self.line = ""
            self.message = nil
            if let answer { self.write(answer, context) }
            return true
        }

        private func write(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, isTrimmed(last) { text = text.dropLast() }
        return String(text)
    }
}
