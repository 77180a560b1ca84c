import IMAP
import NIOCore
import Session
import Store

/// One connection to an account's mail server, outside any session, for a conversation that no
/// client leads.
final class ConversationConnection<Conversation: ServerConversation> {
    typealias Login = UpstreamLogin
    typealias Done = @Sendable (Conversation.Outcome?) -> Void

    let message: OutgoingMessage?
    private var done: Done?
    private let server: ConversationServer
    /// Nil once the conversation has ended.
    private(set) var channel: UpstreamChannel<UpstreamLogin>?
    var conversation: Conversation
    private var reader = WholeResponseReader()
    private var limiter = ConversationLimiter(readsStatus: Conversation.readsStatus)
    /// Whether other connections have their turn before the rest of what the server has said is read.
    private var isReadDeferred = false
    /// Whether the server closed the connection.
    private var isClosed = false
    private var timeout: Scheduled<Void>?
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

    /// - Parameters:
    ///   - message: what the conversation sends, if it sends one.
    ///   - done: gets nil where the server cannot be used.
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

    /// Tells what came of it. A login under way goes on to its verdict.
    private func finish(_ outcome: Conversation.Outcome?) {
        self.timeout?.cancel()
        self.silenceCheck?.cancel()
        guard let done = self.done else { return }
        self.done = nil
        done(outcome)
    }

    /// The conversation comes to nothing, or has come to its outcome.
    private func end(_ outcome: Conversation.Outcome? = nil) {
        self.finish(outcome)
        self.channel?.close()
        self.channel = nil
    }

    // MARK: - Time

    private func scheduleTimeout(_ channel: UpstreamChannel<UpstreamLogin>) {
        let bound = NIOLoopBound(self, eventLoop: channel.loop)
        self.timeout = channel.loop.scheduleTask(in: Conversations.timeout) { bound.value.end() }
    }

    /// Behind the login, a client may wait for what the conversation comes to.
    private func scheduleSilenceCheck(_ channel: UpstreamChannel<UpstreamLogin>) {
        let bound = NIOLoopBound(self, eventLoop: channel.loop)
        let time = self.server.upstream.limits.upstreamTransferTime
        let interval = TimeAmount.nanoseconds(time.nanoseconds / Conversations.looks)
        self.silenceCheck = channel.loop.scheduleTask(in: interval) { bound.value.checkSilence() }
    }

    private func checkSilence() {
        guard self.done != nil, let channel = self.channel else { return }
        guard !channel.isSilent(.transfer) else { return self.end() }
        self.scheduleSilenceCheck(channel)
    }

    // MARK: - What the server says

    /// Takes what the server has said, as long as somebody waits for it and the turn lasts.
    private func readResponses() {
        do {
            for _ in 0..<Conversations.responsesInTurn {
                guard self.done != nil, let response = try self.nextResponse() else { return }
                self.responseReceived(response)
            }
            if self.done != nil, self.reader.bufferedOctets > 0 { self.readOnLater() }
        } catch {
            self.channel?.log("breaks the protocol", error: error.reason.explanation)
            self.end()
        }
    }

    private func nextResponse() throws(SyntaxError) -> ByteBuffer? {
        try self.reader.next(taking: { piece in
            guard self.conversation.pieceReceived(piece) else { return false }
            self.limiter.messageOctetsTaken(piece.octets.readableBytes)
            return true
        })
    }

    private func responseReceived(_ response: ByteBuffer) {
        guard self.limiter.takes(response) else { return self.floods() }
        if let refusal = ServerRefusal(response: response), refusal.isLogged {
            let words = ServerLog.Words(text: refusal.text)
            self.channel?.log(
                "refused a command of the upstream",
                error: refusal.name,
                words: words
            )
        }
        self.perform(self.conversation.responseReceived(response))
    }

    private func floods() {
        let failure = UpstreamLogin.Failure.tooManyResponses
        self.channel?.log("says too much that nobody asked for", error: "\(failure)")
        self.end()
    }

    private func readOnLater() {
        guard let loop = self.channel?.loop else { return }
        self.isReadDeferred = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: Conversations.pause) { bound.value.readOn() }
    }

    private func readOn() {
        self.isReadDeferred = false
        self.readResponses()
        guard !self.isReadDeferred else { return }
        guard !self.isClosed else { return self.end() }
        self.channel?.resumeReading()
    }

    // MARK: - What the conversation does

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

    /// The message cannot be sent.
    func messageFailed() { self.end() }
}

// MARK: - From the channel

extension ConversationConnection: UpstreamChannelDelegate {
    /// A server is not read while what it said before waits for its turn.
    var wantsOctets: Bool { !self.isReadDeferred }

    func channelReady(_ profile: UpstreamProfile, login: UpstreamLogin) {
        // Nobody waits for it any more: what it would do may be done by another one meanwhile.
        guard self.done != nil, let channel = self.channel else { return self.end() }
        self.scheduleTimeout(channel)
        self.scheduleSilenceCheck(channel)
        self.perform(self.conversation.begin(profile, tags: login.remainingTags))
    }

    func channelFailed(_ failure: UpstreamFailure<UpstreamLogin.Failure>) {
        if case .login(let failure) = failure,
            case .throttled(let milliseconds) = failure.verdict
        {
            self.server.upstream.profiles.paused(self.server.account, for: .milliseconds(Int64(milliseconds)))
        }
        self.finish(nil)
    }

    func channelReceived(_ octets: ByteBuffer) {
        // Nobody waits for it any more.
        guard self.done != nil else { return }
        guard self.limiter.takesOctets(octets.readableBytes) else { return self.floods() }
        self.reader.receive(octets)
        if !self.isReadDeferred { self.readResponses() }
    }

    func channelClosed() {
        self.isClosed = true
        // What the server said last may be the answer, and has not been read yet.
        if !self.isReadDeferred { self.end() }
    }

    func channelBecameWritable() {}
}

/// The server that a conversation is with, and what connections to it share.
struct ConversationServer {
    let account: UpstreamAccount
    let upstream: UpstreamServices
}
