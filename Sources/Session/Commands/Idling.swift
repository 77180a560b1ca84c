import Access
import IMAP

import struct NIOCore.ByteBuffer

/// An IDLE on its way (RFC 2177): at the server of the selected mailbox where that can, else here.
final class Idling: RunningCommand {
    /// Who waits for news of the selected mailbox.
    enum Place: Equatable {
        /// Nobody: no mailbox is selected.
        case here
        /// Its server.
        case upstream(AccountID)
        /// The gateway, which asks a server that cannot idle from time to time.
        case polled(AccountID)
    }

    let place: Place
    private let tag: ByteBuffer
    private var isUpstreamIdling = false
    /// Whether the server was told to stop.
    private var isStopping = false
    /// The answer where the client said something else than DONE.
    private var refusal: ReplyText?

    init(tag: ByteBuffer, at place: Place) {
        self.tag = tag
        self.place = place
    }

    /// Whether the client's next line is wanted. What comes before the server idles is no line for it, and no
    /// command either.
    var readsClient: Bool {
        guard case .upstream = self.place else { return true }
        return self.isUpstreamIdling && !self.isStopping
    }

    func begin(in context: inout some CommandContext) {
        switch self.place {
        case .upstream(let account):
            var encoder = context.encoder(for: account)
            encoder.write(word: "IDLE")
            return context.send(encoder, to: account)
        case .polled:
            context.pollLater()
        case .here:
            break
        }
        self.began(in: &context)
    }

    /// The client may wait now.
    private func began(in context: inout some CommandContext) {
        context.reader.readsLines = true
        context.emit(Reply.continuation(.idling))
        context.readClient()
    }

    /// The time has come to ask a server that cannot idle.
    func pollDue(in context: inout some CommandContext) {
        guard case .polled(let account) = self.place, context.selected?.account == account else {
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

    /// A line of the client: `DONE`, or what must not be there.
    func lineReceived(_ line: ByteBuffer, in context: inout some CommandContext) {
        context.reader.readsLines = false
        guard line.equals(word: "DONE") else {
            // Where a literal was announced, nothing behind the line can be told apart.
            guard line.readableBytesView.last != UInt8(ascii: "}") else {
                return context.end(.bye(.syntax))
            }
            // Whatever was meant, the server still idles: it is told to stop first.
            context.strike()
            return self.stop(answer: .badSyntax, in: &context)
        }
        self.stop(answer: nil, in: &context)
    }

    private func stop(answer: ReplyText?, in context: inout some CommandContext) {
        guard case .upstream(let account) = self.place, context.upstream(of: account) != nil else {
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
            guard self.place == .upstream(account), !self.isUpstreamIdling else { return false }
            self.isUpstreamIdling = true
            self.began(in: &context)
        case .completed(let completion):
            guard self.place == .upstream(account) else { return false }
            self.completed(completion, in: &context)
        case .lost(let answer):
            guard self.place == .upstream(account) || self.place == .polled(account)
            else { return false }
            // The mailbox that was watched is gone: IDLE ends, so that the client notices.
            context.reader.readsLines = false
            context.finish(self.tag, text: answer)
        case .ready, .untagged:
            return false
        }
        return true
    }

    private func completed(_ completion: Completion, in context: inout some CommandContext) {
        context.reader.readsLines = false
        if let refusal = self.refusal { return context.finish(self.tag, text: refusal) }
        let isDone = self.isStopping && completion.condition == .ok
        context.finish(self.tag, text: isDone ? .completed("IDLE") : .unavailable)
    }

    func awaitedAnswer(of account: AccountID, isInFlight: Bool) -> AwaitedAnswer? {
        guard isInFlight else { return nil }
        guard self.place == .upstream(account) else { return .prompt }
        return self.isUpstreamIdling && !self.isStopping ? nil : .prompt
    }
}
