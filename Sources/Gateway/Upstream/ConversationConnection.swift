import Access
import Foundation
import IMAP
import NIOCore
import NIOPosix
import NIOTLS
import Session
import Store
import TLS

/// One connection to an account's mail server, outside any session, for a conversation that no
/// client leads.
final class ConversationConnection<Conversation: ServerConversation>: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    typealias Done = @Sendable (Conversation.Outcome?) -> Void

    let file: URL?
    let target: UpstreamAccount
    let upstream: UpstreamServices
    let pool: NIOThreadPool
    private var done: Done?
    private var login: UpstreamLogin?
    var conversation: Conversation
    private var hasBegun = false
    private var reader = WholeResponseReader()
    private var lease: CredentialLease?
    private var channel: (any Channel)?
    private var loginTimeout: Scheduled<Void>?
    private var silenceCheck: Scheduled<Void>?
    private var limiter = ConversationLimiter(readsStatus: Conversation.readsStatus)
    /// Whether other connections have their turn before the rest of what the server has said is read.
    private var isReadDeferred = false
    private var hasPendingRead = false
    var clock: UpstreamClock

    private init(
        _ conversation: Conversation,
        file: URL?,
        target: UpstreamAccount,
        upstream: UpstreamServices,
        pool: NIOThreadPool,
        done: @escaping Done
    ) {
        self.conversation = conversation
        self.file = file
        self.target = target
        self.upstream = upstream
        self.clock = UpstreamClock(limits: upstream.limits)
        self.pool = pool
        self.done = done
    }

    /// - Parameters:
    ///   - file: the message that the conversation sends, if it sends one.
    ///   - pool: where the file is read.
    ///   - done: gets nil where the server cannot be used.
    static func run(
        _ conversation: Conversation,
        sending file: URL? = nil,
        target: UpstreamAccount,
        upstream: UpstreamServices,
        pool: NIOThreadPool,
        on loop: any EventLoop,
        done: @escaping Done
    ) {
        loop.execute {
            ConversationConnection(
                conversation,
                file: file,
                target: target,
                upstream: upstream,
                pool: pool,
                done: done
            )
            .open(on: loop)
        }
    }

    private func open(on loop: any EventLoop) {
        guard !self.upstream.profiles.isPaused(self.target) else { return self.finish(nil) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.upstream.credentialLease(of: self.target, for: .imap, by: nil, on: loop)
            .whenComplete { result in
                switch result {
                case .success(let lease):
                    bound.value.dial(lease, on: loop)
                case .failure(is CredentialBreaker.Suspended),
                    .failure(is CredentialBreaker.Paused),
                    .failure(is CredentialBreaker.WaitedTooLong),
                    .failure(is CredentialBreaker.Outdated):
                    bound.value.finish(nil)
                case .failure(let error):
                    bound.value.log("has no usable credential", error: error, on: loop)
                    bound.value.finish(nil)
                }
            }
    }

    /// Other logins wait for the verdict on this one: a server that says nothing must not hold them up. A server that
    /// has had the credential for less than the time for an answer is heard until then, without a conversation.
    private func loginTimeoutPassed(_ loop: any EventLoop) {
        guard !self.hasBegun else { return }
        self.log("did not finish the login in time", error: "no answer", on: loop)
        let timeout = self.upstream.limits.upstreamTimeout
        if let channel = self.channel, let rest = self.lease?.timeForVerdict(of: timeout) {
            loop.scheduleTask(in: rest) { channel.close(promise: nil) }
            return self.finish(nil, keepsLease: true)
        }
        self.finish(nil)
        self.channel?.close(promise: nil)
    }

    /// Behind the login, a client may wait for what the conversation comes to.
    private func scheduleSilenceCheck(_ loop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let time = self.upstream.limits.upstreamTransferTime
        let interval = TimeAmount.nanoseconds(time.nanoseconds / Conversations.looks)
        self.silenceCheck = loop.scheduleTask(in: interval) { bound.value.checkSilence(loop) }
    }

    private func checkSilence(_ loop: any EventLoop) {
        guard self.done != nil, let channel = self.channel else { return }
        guard self.clock.isExpired(.transfer, isWritable: channel.isWritable) else {
            return self.scheduleSilenceCheck(loop)
        }
        self.log("does not answer any more", error: "no answer", on: loop)
        self.finish(nil)
        channel.close(promise: nil)
    }

    private func dial(_ lease: CredentialLease, on loop: any EventLoop) {
        guard self.done != nil else { return }
        self.lease = lease
        let bound = NIOLoopBound(self, eventLoop: loop)
        let timeout = self.upstream.limits.upstreamTimeout
        self.loginTimeout = loop.scheduleTask(deadline: lease.began + timeout) {
            bound.value.loginTimeoutPassed(loop)
        }
        self.upstream.connector.dial(self.target.imap, on: loop, timeout: timeout) { channel in
            let connection = bound.value
            try UpstreamPipeline.add(
                connection,
                endpoint: connection.target.imap,
                to: channel,
                upstream: connection.upstream
            )
        }.whenComplete { result in
            switch result {
            case .success(let channel):
                guard bound.value.done != nil else { return channel.close(promise: nil) }
                channel.eventLoop.scheduleTask(in: Conversations.timeout) {
                    channel.close(promise: nil)
                }
            case .failure(let error):
                guard bound.value.done != nil else { return }
                bound.value.log("cannot be reached", error: error, on: loop)
                bound.value.finish(nil)
            }
        }
    }

    private func log(_ what: StaticString, error: any Error, on loop: any EventLoop) {
        self.log(what, error: "\(error)", on: loop)
    }

    private func log(_ what: StaticString, error: String, on loop: any EventLoop) {
        self.upstream.serverLog.log(
            "mail server \(what)",
            account: self.target,
            at: self.target.imap,
            error: error,
            on: loop
        )
    }

    /// - Parameter keepsLease: whether the login goes on to its verdict.
    private func finish(_ outcome: Conversation.Outcome?, keepsLease: Bool = false) {
        if outcome == nil, !keepsLease { self.lease = nil }
        self.loginTimeout?.cancel()
        self.silenceCheck?.cancel()
        guard let done = self.done else { return }
        self.done = nil
        done(outcome)
    }

    // MARK: - The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.channel = context.channel
    }

    func channelActive(context: ChannelHandlerContext) {
        if self.target.imap.tls != .implicit { self.beginLogin(context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case TLSUserEvent.handshakeCompleted = event else {
            return context.fireUserInboundEventTriggered(event)
        }
        guard self.login != nil else { return self.beginLogin(context) }
        self.perform(self.login?.tlsEstablished() ?? [], context: context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody waits for it any more.
        guard self.done != nil else { return }
        let octets = self.unwrapInboundIn(data)
        self.clock.octetsMoved()
        guard self.takesOctets(octets.readableBytes) else { return self.floods(context) }
        self.reader.receive(octets)
        if !self.isReadDeferred { self.readResponses(context) }
    }

    private func takesOctets(_ count: Int) -> Bool {
        self.hasBegun
            ? self.limiter.takesOctets(count) : self.login?.takesOctets(count) ?? false
    }

    private func floods(_ context: ChannelHandlerContext) {
        let failure = UpstreamLogin.Failure.tooManyResponses
        self.log("says too much that nobody asked for", error: failure, on: context.eventLoop)
        self.finish(nil)
        context.close(promise: nil)
    }

    /// Takes what the server has said, as long as somebody waits for it and the turn lasts.
    private func readResponses(_ context: ChannelHandlerContext) {
        do {
            for _ in 0..<Conversations.responsesInTurn {
                guard self.done != nil, let response = try self.nextResponse() else { return }
                self.responseReceived(response, context: context)
            }
            if self.done != nil, self.reader.bufferedOctets > 0 { self.readOnLater(context) }
        } catch {
            self.log("breaks the protocol", error: error.reason.explanation, on: context.eventLoop)
            self.finish(nil)
            context.close(promise: nil)
        }
    }

    private func nextResponse() throws(SyntaxError) -> ByteBuffer? {
        try self.reader.next(taking: { piece in
            guard self.hasBegun, self.conversation.pieceReceived(piece) else { return false }
            self.limiter.messageOctetsTaken(piece.octets.readableBytes)
            return true
        })
    }

    private func readOnLater(_ context: ChannelHandlerContext) {
        self.isReadDeferred = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Conversations.pause) {
            bound.value.0.readOn(bound.value.1)
        }
    }

    private func readOn(_ context: ChannelHandlerContext) {
        self.isReadDeferred = false
        self.readResponses(context)
        guard !self.isReadDeferred else { return }
        guard self.channel != nil else { return self.ended() }
        guard self.hasPendingRead else { return }
        self.hasPendingRead = false
        context.read()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.channel = nil
        // What the server said last may be the answer, and has not been read yet.
        if !self.isReadDeferred { self.ended() }
    }

    private func ended() {
        self.lease = nil
        self.finish(nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.log("failed", error: error, on: context.eventLoop)
        context.close(promise: nil)
    }

    // MARK: - The conversation

    private func beginLogin(_ context: ChannelHandlerContext) {
        guard let credential = self.lease?.credential else { return context.close(promise: nil) }
        self.login = UpstreamLogin(
            security: self.target.imap.tls == .starttls ? .startTLS : .established,
            credential: credential.forServer,
            known: nil,
            tags: UpstreamTags(random: .random(in: .min ... .max))
        )
    }

    private func responseReceived(_ response: ByteBuffer, context: ChannelHandlerContext) {
        if self.hasBegun {
            guard self.limiter.takes(response) else { return self.floods(context) }
            self.logRefusal(response, on: context.eventLoop)
            self.perform(self.conversation.responseReceived(response), context: context)
        } else {
            let isLast = self.reader.bufferedOctets == 0
            let actions = self.login?.responseReceived(response, isLast: isLast) ?? []
            if self.login?.awaitsVerdict ?? false { self.lease?.credentialSent() }
            self.perform(actions, context: context)
        }
    }

    private func perform(_ actions: [UpstreamLogin.Action], context: ChannelHandlerContext) {
        for action in actions {
            switch action {
            case .send(let octets):
                context.writeAndFlush(self.wrapOutboundOut(octets), promise: nil)
            case .startTLS:
                self.startTLS(context)
            case .ready(let profile):
                self.begin(profile, context: context)
            case .fail(let failure):
                self.failed(failure, context: context)
            }
        }
    }

    private func failed(_ failure: UpstreamLogin.Failure, context: ChannelHandlerContext) {
        self.log("refused the login", error: failure, on: context.eventLoop)
        switch failure {
        case .credentialRefused:
            self.lease?.refused()
        case .noMailbox, .temporarilyRefused:
            self.lease?.answeredWithoutVerdict()
        case .throttled(let milliseconds):
            self.lease?.answeredWithoutVerdict()
            self.upstream.profiles.paused(
                self.target,
                for: .milliseconds(Int64(milliseconds))
            )
        default:
            break
        }
        self.finish(nil)
        context.close(promise: nil)
    }

    private func startTLS(_ context: ChannelHandlerContext) {
        do {
            try UpstreamPipeline.addTLS(
                to: context,
                self.target.imap,
                upstream: self.upstream
            )
        } catch {
            self.log("TLS cannot be started", error: error, on: context.eventLoop)
            context.close(promise: nil)
        }
    }

    private func begin(_ profile: UpstreamProfile, context: ChannelHandlerContext) {
        guard let login = self.login else { return }
        self.hasBegun = true
        self.loginTimeout?.cancel()
        self.lease?.accepted()
        // Nobody waits for it any more: what it would do may be done by another one meanwhile.
        guard self.done != nil else { return context.close(promise: nil) }
        self.scheduleSilenceCheck(context.eventLoop)
        self.perform(self.conversation.begin(profile, tags: login.remainingTags), context: context)
    }

    func perform(_ step: Conversation.Step, context: ChannelHandlerContext) {
        switch step {
        case .wait:
            break
        case .send(let segments):
            self.clock.octetsSent()
            self.limiter.commandSent()
            for segment in segments { context.write(self.wrapOutboundOut(segment), promise: nil) }
            context.flush()
        case .sendMessage:
            self.sendMessage(context)
        case .done(let outcome):
            self.finish(outcome)
            context.close(promise: nil)
        }
    }
}

extension ConversationConnection: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    /// A server is not read while what it said before waits for its turn.
    func read(context: ChannelHandlerContext) {
        guard self.isReadDeferred else { return context.read() }
        self.hasPendingRead = true
    }
}
