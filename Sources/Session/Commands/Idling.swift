import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A running IDLE (RFC 2177). The server of the selected mailbox executes it if it can; otherwise the gateway does.
final class Idling: RunningCommand {
    /// Who watches the selected mailbox for changes.
    enum Watcher: Equatable {
        /// Nobody: no mailbox is selected.
        case nobody
        /// The mailbox's server executes IDLE.
        case upstream(AccountID)
        /// The gateway polls the server, which lacks IDLE, with NOOP.
        case polled(AccountID)
    }

    let watcher: Watcher
    private let tag: ByteBuffer
    /// Whether the server has accepted IDLE with a continuation request.
    private var isUpstreamIdling = false
    /// Whether DONE was sent to the server.
    private var isStopping = false
    /// The tagged response if the client sent something other than DONE.
    private var refusal: ReplyText?

    init(tag: ByteBuffer, watcher: Watcher) {
        self.tag = tag
        self.watcher = watcher
    }

    /// Whether the session should read the client's next line. A line that arrives before the server accepts IDLE
    /// waits: it is not yet known whether it is DONE or a command.
    var readsClient: Bool {
        guard case .upstream = self.watcher else { return true }
        return self.isUpstreamIdling && !self.isStopping
    }

    /// Sends IDLE to the server, or begins to poll.
    func begin(in context: inout some CommandContext) {
        switch self.watcher {
        case .upstream(let account):
            var encoder = context.encoder(for: account)
            encoder.write(word: "IDLE")
            return context.send(encoder, to: account)
        case .polled:
            context.pollLater()
        case .nobody:
            break
        }
        self.began(in: &context)
    }

    /// Sends the continuation request to the client.
    private func began(in context: inout some CommandContext) {
        context.reader.readsLines = true
        context.emit(Reply.continuation(.idling))
        context.readClient()
    }

    /// A poll is due: sends NOOP to the server, if it is idle.
    func pollDue(in context: inout some CommandContext) {
        guard case .polled(let account) = self.watcher, context.selected?.account == account else {
            return
        }
        context.pollLater()
        guard let upstream = context.upstream(of: account), upstream.isIdle else { return }
        upstream.housekeeping = .upkeep
        var encoder = context.encoder(for: account)
        encoder.write(word: "NOOP")
        context.send(encoder, to: account)
    }

    // MARK: - The end

    /// Takes the client's line. Any line other than `DONE` is a syntax error and ends IDLE.
    func lineReceived(_ line: ByteBuffer, in context: inout some CommandContext) {
        context.reader.readsLines = false
        guard line.equals(word: "DONE") else {
            // The line announces a literal, so the start of the next command is unknown.
            guard line.readableBytesView.last != UInt8(ascii: "}") else {
                return context.end(.bye(.syntax))
            }
            // The server still executes IDLE and must end it first.
            context.strike()
            return self.stop(answer: .badSyntax, in: &context)
        }
        self.stop(answer: nil, in: &context)
    }

    /// Sends DONE to the server, or ends the command at once if no server executes it.
    private func stop(answer: ReplyText?, in context: inout some CommandContext) {
        guard case .upstream(let account) = self.watcher, context.upstream(of: account) != nil
        else {
            return context.finish(self.tag, text: answer ?? .completed("IDLE"))
        }
        self.isStopping = true
        self.refusal = answer
        context.send(ByteBuffer(string: "DONE\r\n"), to: account)
    }

    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool {
        switch event {
        case .continued:
            guard self.watcher == .upstream(account), !self.isUpstreamIdling else { return false }
            self.isUpstreamIdling = true
            self.began(in: &context)
        case .completed(let completion):
            guard self.watcher == .upstream(account) else { return false }
            self.completed(completion, in: &context)
        case .lost(let answer):
            guard self.watcher == .upstream(account) || self.watcher == .polled(account)
            else { return false }
            // The selected mailbox is no longer available: IDLE ends, so that the client notices it.
            context.reader.readsLines = false
            context.finish(self.tag, text: answer)
        case .ready, .untagged:
            return false
        }
        return true
    }

    /// The server ended IDLE. Without DONE, or with a refusal, the client gets `NO [UNAVAILABLE]`.
    private func completed(_ completion: Completion, in context: inout some CommandContext) {
        context.reader.readsLines = false
        if let refusal = self.refusal { return context.finish(self.tag, text: refusal) }
        let isDone = self.isStopping && completion.condition == .ok
        context.finish(self.tag, text: isDone ? .completed("IDLE") : .unavailable)
    }

    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer? {
        guard isInFlight else { return nil }
        guard self.watcher == .upstream(account) else { return .prompt }
        return self.isUpstreamIdling && !self.isStopping ? nil : .prompt
    }
}
