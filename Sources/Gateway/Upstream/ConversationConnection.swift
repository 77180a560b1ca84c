import IMAP
import NIOCore
import Session
import Store

/// A connection to an account's mail server for one conversation of the gateway itself, outside any
/// client session: a folder list, a sent copy, a notification, or the recovery of a transfer.
///
/// Used on its event loop only.
final class ConversationConnection<Conversation: ServerConversation> {
    typealias Login = UpstreamLogin
    /// Receives the outcome, once, on the event loop; nil if the server could not be used.
    typealias Done = @Sendable (Conversation.Outcome?) -> Void

    /// The message that the conversation appends, if any.
    let message: OutgoingMessage?
    /// Nil once the outcome was reported.
    private var done: Done?
    private let server: ConversationServer
    /// Nil once the conversation has ended.
    private(set) var channel: UpstreamChannel<UpstreamLogin>?
    /// The state machine that decides what is sent.
    var conversation: Conversation
    /// Splits octets into responses.
    private var reader = WholeResponseReader()
    /// Bounds what the server may send.
    private var limiter = ConversationLimiter(readsStatus: Conversation.readsStatus)
    /// Whether buffered responses wait for a later turn of the event loop.
    private var isReadDeferred = false
    /// Whether the server closed the connection.
    private var isClosed = false
    /// The end of the conversation's time.
    private var timeout: Scheduled<Void>?
    /// The next check of the server's silence.
    private var silenceCheck: Scheduled<Void>?

    private init(
        _ conversation: Conversation,
        message: OutgoingMessage?,
        server: ConversationServer,
        done: @escaping Done
    ) {
        self.conversation = conversation
        self.message = message
        self.server = server
        self.done = done
    }

    /// Connects, logs in and runs a conversation. May be called on any thread.
    /// - Parameters:
    ///   - message: what the conversation appends, if it appends a message.
    ///   - done: receives nil if the server could not be used.
    static func run(
        _ conversation: Conversation,
        sending message: OutgoingMessage? = nil,
        at server: ConversationServer,
        on loop: any EventLoop,
        done: @escaping Done
    ) {
        loop.execute {
            ConversationConnection(
                conversation,
                message: message,
                server: server,
                done: done
            )
            .open(on: loop)
        }
    }

    private func open(on loop: any EventLoop) {
        let target = self.server.account
        let channel = UpstreamChannel(
            self.server.upstream.route(to: target, by: nil),
            delegate: self,
            on: loop
        ) { credential in
            UpstreamLogin(
                security: target.imap.tls == .starttls ? .startTLS : .established,
                credential: credential,
                known: nil,
                tags: UpstreamTags(random: .random(in: .min ... .max))
            )
        }
        self.channel = channel
        channel.open()
    }

    /// Reports the outcome, once. A login under way continues to its verdict, for the circuit
    /// breaker.
    private func finish(_ outcome: Conversation.Outcome?) {
        self.timeout?.cancel()
        self.silenceCheck?.cancel()
        guard let done = self.done else { return }
        self.done = nil
        done(outcome)
    }

    /// Reports the outcome and closes the connection.
    /// - Parameter outcome: nil if the conversation failed.
    private func end(_ outcome: Conversation.Outcome? = nil) {
        self.finish(outcome)
        self.channel?.close()
        self.channel = nil
    }

    // MARK: - Time

    /// Limits the time from the login to the end of the conversation.
    private func scheduleTimeout(_ channel: UpstreamChannel<UpstreamLogin>) {
        let bound = NIOLoopBound(self, eventLoop: channel.loop)
        self.timeout = channel.loop.scheduleTask(in: Conversations.timeout) { bound.value.end() }
    }

    /// Limits the silence of the server after the login: a client may wait for the outcome.
    private func scheduleSilenceCheck(_ channel: UpstreamChannel<UpstreamLogin>) {
        let bound = NIOLoopBound(self, eventLoop: channel.loop)
        let time = self.server.upstream.limits.upstreamTransferTime
        let interval = TimeAmount.nanoseconds(time.nanoseconds / Conversations.looks)
        self.silenceCheck = channel.loop.scheduleTask(in: interval) { bound.value.checkSilence() }
    }

    /// Ends a conversation with a silent server.
    private func checkSilence() {
        guard self.done != nil, let channel = self.channel else { return }
        guard !channel.isSilent(.transfer) else { return self.end() }
        self.scheduleSilenceCheck(channel)
    }

    // MARK: - What the server says

    /// Reads buffered responses, at most ``Conversations/responsesInTurn`` in a turn of the event
    /// loop.
    private func readResponses() {
        do {
            for _ in 0..<Conversations.responsesInTurn {
                guard self.done != nil, let response = try self.nextResponse() else { return }
                self.responseReceived(response)
            }
            if self.done != nil, self.reader.bufferedOctets > 0 { self.readOnLater() }
        } catch {
            self.channel?.log("violates the protocol", error: error.reason.explanation)
            self.end()
        }
    }

    /// - Throws: `SyntaxError` for octets that are not a response.
    private func nextResponse() throws(SyntaxError) -> ByteBuffer? {
        try self.reader.next(taking: { piece in
            guard self.conversation.pieceReceived(piece) else { return false }
            self.limiter.messageOctetsTaken(piece.octets.readableBytes)
            return true
        })
    }

    /// Hands a complete response to the conversation, and logs a refusal.
    private func responseReceived(_ response: ByteBuffer) {
        guard self.limiter.takes(response) else { return self.floods() }
        if let refusal = ServerRefusal(response: response), refusal.isLogged {
            let excerpt = ServerLog.Excerpt(text: refusal.text)
            self.channel?.log(
                "refused a command of the gateway",
                error: refusal.name,
                excerpt: excerpt
            )
        }
        self.perform(self.conversation.responseReceived(response))
    }

    /// The server exceeded a limit of responses or octets.
    private func floods() {
        let failure = UpstreamLogin.Failure.tooManyResponses
        self.channel?.log("sends too many unsolicited responses", error: "\(failure)")
        self.end()
    }

    /// Defers the rest of the buffered responses, so that other connections have their turn.
    private func readOnLater() {
        guard let loop = self.channel?.loop else { return }
        self.isReadDeferred = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: Conversations.pause) { bound.value.readOn() }
    }

    /// Reads the deferred responses in a new turn.
    private func readOn() {
        self.isReadDeferred = false
        self.readResponses()
        guard !self.isReadDeferred else { return }
        guard !self.isClosed else { return self.end() }
        self.channel?.resumeReading()
    }

    // MARK: - What the conversation does

    /// Performs one step of the conversation.
    func perform(_ step: Conversation.Step) {
        switch step {
        case .wait:
            break
        case .send(let segments):
            self.limiter.commandSent()
            for segment in segments { self.channel?.write(segment) }
            self.channel?.flush()
        case .sendMessage:
            self.sendMessage()
        case .done(let outcome):
            self.end(outcome)
        }
    }

    /// The message could not be read, or there is none.
    func messageFailed() { self.end() }
}

// MARK: - From the channel

/// Events of the channel.
extension ConversationConnection: UpstreamChannelDelegate {
    /// The socket is not read while buffered responses wait for a later turn.
    var wantsOctets: Bool { !self.isReadDeferred }

    /// The login succeeded: starts the conversation and its timers.
    func channelReady(_ profile: UpstreamProfile, login: UpstreamLogin) {
        // The outcome was reported as failed already: another conversation may be doing the same work.
        guard self.done != nil, let channel = self.channel else { return self.end() }
        self.scheduleTimeout(channel)
        self.scheduleSilenceCheck(channel)
        self.perform(self.conversation.begin(profile, tags: login.remainingTags))
    }

    /// The login failed: the outcome is nil. The channel logs the reason.
    func channelFailed(_ failure: UpstreamFailure<UpstreamLogin.Failure>) {
        if case .login(let failure) = failure,
            case .throttled(let milliseconds) = failure.verdict
        {
            self.server.upstream.profiles.paused(
                self.server.account,
                for: .milliseconds(Int64(milliseconds))
            )
        }
        self.finish(nil)
    }

    /// Octets after the login: counts them against the limit, and reads complete responses.
    func channelReceived(_ octets: ByteBuffer) {
        // The outcome was reported already.
        guard self.done != nil else { return }
        guard self.limiter.takesOctets(octets.readableBytes) else { return self.floods() }
        self.reader.receive(octets)
        if !self.isReadDeferred { self.readResponses() }
    }

    /// The server closed the connection. Buffered responses are still read.
    func channelClosed() {
        self.isClosed = true
        // The last responses may hold the answer: read them before the conversation ends.
        if !self.isReadDeferred { self.end() }
    }

    func channelBecameWritable() {}
}
