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

    private let file: URL?
    private let target: UpstreamAccount
    private let environment: Environment
    private let pool: NIOThreadPool
    private var done: Done?
    private var login: UpstreamLogin?
    private var conversation: Conversation
    private var hasBegun = false
    private var reader = WholeResponseReader()
    private var lease: CredentialLease?
    private var channel: (any Channel)?
    private var loginTimeout: Scheduled<Void>?
    private var silenceCheck: Scheduled<Void>?
    private var clock: UpstreamClock

    private init(
        _ conversation: Conversation,
        _ file: URL?,
        _ target: UpstreamAccount,
        _ environment: Environment,
        _ pool: NIOThreadPool,
        _ done: @escaping Done
    ) {
        self.conversation = conversation
        self.file = file
        self.target = target
        self.environment = environment
        self.clock = UpstreamClock(limits: environment.configuration.limits)
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
        _ target: UpstreamAccount,
        _ environment: Environment,
        _ pool: NIOThreadPool,
        on loop: any EventLoop,
        _ done: @escaping Done
    ) {
        loop.execute {
            ConversationConnection(conversation, file, target, environment, pool, done)
                .open(on: loop)
        }
    }

    private func open(on loop: any EventLoop) {
        guard !self.environment.profiles.isPaused(self.target) else { return self.finish(nil) }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let environment = self.environment
        let timeout = environment.configuration.limits.upstreamTimeout
        self.loginTimeout = loop.scheduleTask(in: timeout) { bound.value.loginTimeoutPassed(loop) }
        environment.credentialLease(of: self.target, for: .imap, on: loop).whenComplete { result in
            switch result {
            case .success(let lease):
                bound.value.dial(lease, on: loop)
            case .failure(is CredentialBreaker.Suspended),
                .failure(is CredentialBreaker.WaitedTooLong),
                .failure(is CredentialBreaker.Outdated):
                bound.value.finish(nil)
            case .failure(let error):
                bound.value.log("has no usable credential", error, on: loop)
                bound.value.finish(nil)
            }
        }
    }

    /// Other logins wait for the verdict on this one: a server that says nothing must not hold them up.
    private func loginTimeoutPassed(_ loop: any EventLoop) {
        guard !self.hasBegun, self.done != nil else { return }
        self.log("did not finish the login in time", "no answer", on: loop)
        self.finish(nil)
        self.channel?.close(promise: nil)
    }

    /// Behind the login, a client may wait for what the conversation comes to.
    private func scheduleSilenceCheck(_ loop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        let time = self.environment.configuration.limits.upstreamTransferTime
        let interval = TimeAmount.nanoseconds(time.nanoseconds / Conversations.looks)
        self.silenceCheck = loop.scheduleTask(in: interval) { bound.value.checkSilence(loop) }
    }

    private func checkSilence(_ loop: any EventLoop) {
        guard self.done != nil, let channel = self.channel else { return }
        guard self.clock.isExpired(.transfer, isWritable: channel.isWritable) else {
            return self.scheduleSilenceCheck(loop)
        }
        self.log("does not answer any more", "no answer", on: loop)
        self.finish(nil)
        channel.close(promise: nil)
    }

    private func dial(_ lease: CredentialLease, on loop: any EventLoop) {
        guard self.done != nil else { return }
        self.lease = lease
        let bound = NIOLoopBound(self, eventLoop: loop)
        let timeout = self.environment.configuration.limits.upstreamTimeout
        self.environment.dialler.dial(self.target.imap, on: loop, timeout: timeout) { channel in
            let connection = bound.value
            try Pipeline.addUpstream(
                connection,
                connection.target.imap,
                to: channel,
                connection.environment
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
                bound.value.log("cannot be reached", error, on: loop)
                bound.value.finish(nil)
            }
        }
    }

    private func log(_ what: StaticString, _ error: any Error, on loop: any EventLoop) {
        self.log(what, "\(error)", on: loop)
    }

    private func log(_ what: StaticString, _ error: String, on loop: any EventLoop) {
        self.environment.serverLog.log(
            "mail server \(what)",
            self.target,
            at: self.target.imap,
            error: error,
            on: loop
        )
    }

    private func finish(_ outcome: Conversation.Outcome?) {
        if outcome == nil { self.lease = nil }
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
        self.perform(self.login?.tlsEstablished() ?? [], context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.clock.octetsMoved()
        self.reader.receive(self.unwrapInboundIn(data))
        do {
            while let response = try self.reader.next(taking: { piece in
                self.hasBegun && self.conversation.pieceReceived(piece)
            }) {
                self.responseReceived(response, context)
            }
        } catch {
            self.log("breaks the protocol", error.reason.explanation, on: context.eventLoop)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.channel = nil
        self.lease = nil
        self.finish(nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.log("failed", error, on: context.eventLoop)
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

    private func responseReceived(_ response: ByteBuffer, _ context: ChannelHandlerContext) {
        if self.hasBegun {
            self.perform(self.conversation.responseReceived(response), context)
        } else {
            let isLast = self.reader.bufferedOctets == 0
            let actions = self.login?.responseReceived(response, isLast: isLast) ?? []
            if self.login?.awaitsVerdict ?? false { self.lease?.credentialSent() }
            self.perform(actions, context)
        }
    }

    private func perform(_ actions: [UpstreamLogin.Action], _ context: ChannelHandlerContext) {
        for action in actions {
            switch action {
            case .send(let octets):
                context.writeAndFlush(self.wrapOutboundOut(octets), promise: nil)
            case .startTLS:
                self.startTLS(context)
            case .ready(let profile):
                self.begin(profile, context)
            case .fail(let failure):
                self.failed(failure, context)
            }
        }
    }

    private func failed(_ failure: UpstreamLogin.Failure, _ context: ChannelHandlerContext) {
        self.log("refused the login", failure, on: context.eventLoop)
        switch failure {
        case .credentialRefused:
            self.lease?.refused()
        case .noMailbox, .temporarilyRefused:
            self.lease?.answeredWithoutVerdict()
        case .throttled(let milliseconds):
            self.lease?.answeredWithoutVerdict()
            self.environment.profiles.paused(
                self.target,
                for: .milliseconds(Int64(milliseconds))
            )
        default:
            break
        }
        context.close(promise: nil)
    }

    private func startTLS(_ context: ChannelHandlerContext) {
        do {
            try Pipeline.addUpstreamTLS(to: context, self.target.imap, self.environment)
        } catch {
            self.log("TLS cannot be started", error, on: context.eventLoop)
            context.close(promise: nil)
        }
    }

    private func begin(_ profile: UpstreamProfile, _ context: ChannelHandlerContext) {
        guard let login = self.login else { return }
        self.hasBegun = true
        self.loginTimeout?.cancel()
        self.lease?.accepted()
        self.scheduleSilenceCheck(context.eventLoop)
        self.perform(self.conversation.begin(profile, login.remainingTags), context)
    }

    private func perform(_ step: Conversation.Step, _ context: ChannelHandlerContext) {
        switch step {
        case .wait:
            break
        case .send(let segments):
            self.clock.octetsSent()
            for segment in segments { context.write(self.wrapOutboundOut(segment), promise: nil) }
            context.flush()
        case .sendMessage:
            self.sendMessage(context)
        case .done(let outcome):
            self.finish(outcome)
            context.close(promise: nil)
        }
    }

    /// Sends the file piece by piece, the next when the last is out.
    private func sendMessage(_ context: ChannelHandlerContext) {
        guard let file = self.file else { return context.close(promise: nil) }
        let loop = context.eventLoop
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        self.pool.submit { _ in
            let handle = try? FileHandle(forReadingFrom: file)
            loop.execute {
                guard let handle else { return bound.value.1.close(promise: nil) }
                bound.value.0.sendNext(handle, bound)
            }
        }
    }

    private func sendNext(
        _ handle: FileHandle,
        _ bound: NIOLoopBound<(ConversationConnection, ChannelHandlerContext)>
    ) {
        let loop = bound.value.1.eventLoop
        self.pool.submit { _ in
            let data = try? handle.read(upToCount: Conversations.chunk) ?? Data()
            if data?.isEmpty ?? true { try? handle.close() }
            loop.execute { bound.value.0.read(data, handle, bound) }
        }
    }

    private func read(
        _ data: Data?,
        _ handle: FileHandle,
        _ bound: NIOLoopBound<(ConversationConnection, ChannelHandlerContext)>
    ) {
        let context = bound.value.1
        // A message that cannot be read is not ended: the server would file what it has.
        guard let data else { return context.close(promise: nil) }
        guard !data.isEmpty else {
            return self.perform(self.conversation.messageSent(), context)
        }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: data))).whenSuccess {
            bound.value.0.clock.octetsSent()
            bound.value.0.sendNext(handle, bound)
        }
    }
}

private enum Conversations {
    /// Octets read from a file at once.
    static let chunk = 128 * 1_024
    /// From dialling to the end; a large message on a slow line takes its time.
    static let timeout = TimeAmount.minutes(10)
    /// In the time for which a server may be silent.
    static let looks: Int64 = 10
}
