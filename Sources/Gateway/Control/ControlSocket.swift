import Access
import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
package import Store
import Synchronization

/// One client's session, as administrators see it.
package struct SessionSummary: Codable, Equatable, Sendable {
    package var session: UInt64
    package var user: String
    /// `imap` or `submission`.
    package var `protocol`: String
    package var from: String?
    /// Seconds since 1970.
    package var since: Int64
    /// What is open: an account, and a folder of it.
    package var account: String?
    package var folder: String?
}

/// What an administrator asks a running gateway, and what it answers; a line of JSON each.
package enum ControlMessage {
    package struct Request: Codable, Equatable, Sendable {
        /// The session to end; nil asks for the list.
        package var end: UInt64?
        /// Asks for the credentials that rest; after what it tells is taken note of.
        package var credentials: CredentialRequest?
        /// Whether to ask what the gateway has in force, and not for sessions.
        package var state: Bool?
        /// The file that waits, and that an administrator puts into force.
        package var accept: WaitingStore?
        /// Who asks, for the audit log.
        package var actor: String

        package init(
            end: UInt64? = nil,
            state: Bool? = nil,
            accept: WaitingStore? = nil,
            actor: String
        ) {
            self.end = end
            self.state = state
            self.accept = accept
            self.actor = actor
        }

        package init(credentials: CredentialRequest, actor: String) {
            self.credentials = credentials
            self.actor = actor
        }
    }

    /// What a login of the command line at a mail server found.
    package struct CredentialRequest: Codable, Equatable, Sendable {
        /// One verdict of a mail server.
        package struct Verdict: Codable, Equatable, Sendable {
            /// The account's number in the store.
            package var account: Int64
            package var service: CredentialService
            /// The server, and the version of the credential, that it is about.
            package var server: UpstreamAccount.Server
            package var isAccepted: Bool

            /// - Returns: nil where the account has no such server.
            package init?(
                of account: UpstreamAccount,
                _ service: CredentialService,
                isAccepted: Bool
            ) {
                guard let server = service.server(of: account) else { return nil }
                self.account = account.id.rawValue
                self.service = service
                self.server = server
                self.isAccepted = isAccepted
            }
        }

        /// Nil where there is nothing to tell.
        package var verdict: Verdict?

        package init(verdict: Verdict? = nil) {
            self.verdict = verdict
        }
    }

    package struct Answer: Codable, Equatable, Sendable {
        package var sessions: [SessionSummary]?
        package var hasEnded: Bool?
        package var credentials: [SuspendedCredential]?
        package var state: GatewayState?
        package var refusal: String?

        package init() {}
    }
}

/// A socket on this machine for administrators' commands, beside the store. Whoever connects is
/// known by the operating system: the gateway's own user, or root.
final class ControlSocket: Sendable {
    private let gateway: GatewayContext
    private let listeners: Listeners
    private let socket = Mutex<(any Channel)?>(nil)

    init(gateway: GatewayContext, listeners: Listeners) {
        self.gateway = gateway
        self.listeners = listeners
    }

    private var path: String { self.gateway.configuration.controlSocket }

    /// Without it `session`, `account test`, `doctor` and `store accept` do not reach the gateway; clients are served
    /// all the same.
    func bind(on group: any EventLoopGroup) async {
        let other = try? await ClientBootstrap(group: group)
            .connect(unixDomainSocketPath: self.path).get()
        if let other {
            try? await other.close().get()
            return self.gateway.logger.error(
                "another gateway has the socket for commands: they reach that one, and not this",
                metadata: ["path": "\(self.path)"]
            )
        }
        unlink(self.path)
        do {
            let channel = try await ServerBootstrap(group: group)
                .childChannelInitializer { [gateway = self.gateway, listeners] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Pipeline.addControl(to: channel, gateway, listeners: listeners)
                    }
                }
                .bind(unixDomainSocketPath: self.path)
                .get()
            chmod(self.path, 0o600)
            self.socket.withLock { $0 = channel }
        } catch {
            self.gateway.logger.error(
                "no socket for commands: session, account test, doctor and store accept do not reach the gateway",
                metadata: ["path": "\(self.path)", "error": "\(error)"]
            )
        }
    }

    func close() async {
        guard let channel = self.socket.withLock({ $0 }) else { return }
        try? await channel.close().get()
        unlink(self.path)
    }
}

/// The kernel's `struct ucred` (unix(7)).
private struct PeerCredential: Sendable {
    var pid: pid_t = 0
    var uid: uid_t = 0
    var gid: gid_t = 0
}

/// One command of an administrator: a line comes, a line goes, and the connection is closed.
final class ControlHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A request has some hundred octets, and a verdict the names of a server, of a login and of a CA file, which has
    /// 4,096 octets at most.
    private static let maximumOctets = 16_384

    private let gateway: GatewayContext
    private let listeners: Listeners
    private var received = ByteBuffer()
    private var isAnswered = false

    init(gateway: GatewayContext, listeners: Listeners) {
        self.gateway = gateway
        self.listeners = listeners
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.received.writeImmutableBuffer(self.unwrapInboundIn(data))
        guard self.received.readableBytes <= Self.maximumOctets else {
            return context.close(promise: nil)
        }
        guard !self.isAnswered, self.received.readableBytesView.last == UInt8(ascii: "\n") else {
            return
        }
        self.isAnswered = true
        let line = Data(self.received.readableBytesView)
        guard let request = try? JSONDecoder().decode(ControlMessage.Request.self, from: line)
        else {
            return context.close(promise: nil)
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.peer(of: context).whenComplete { result in
            let (handler, context) = bound.value
            guard case .success(let peer) = result, peer == 0 || peer == geteuid() else {
                var answer = ControlMessage.Answer()
                answer.refusal = "the gateway answers root and its own user only"
                return handler.send(answer, context: context)
            }
            handler.carryOut(request, context: context)
        }
    }

    /// Who is at the other end, as the kernel has it.
    private func peer(of context: ChannelHandlerContext) -> EventLoopFuture<uid_t> {
        guard let provider = context.channel as? any SocketOptionProvider else {
            return context.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let option: EventLoopFuture<PeerCredential> = provider.unsafeGetSocketOption(
            level: .socket,
            name: .init(rawValue: SO_PEERCRED)
        )
        return option.map(\.uid)
    }

    private func carryOut(_ request: ControlMessage.Request, context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        if let credentials = request.credentials {
            // Sessions of clients share this loop.
            return NIOThreadPool.singleton.runIfActive(eventLoop: context.eventLoop) {
                [gateway = self.gateway] in
                gateway.upstream.answer(credentials)
            }.whenSuccess { credentials in
                var answer = ControlMessage.Answer()
                answer.credentials = credentials
                bound.value.0.send(answer, context: bound.value.1)
            }
        }
        if request.state == true || request.accept != nil {
            return self.answerState(request, context: context)
        }
        guard let number = request.end else {
            return self.listeners.sessions(on: context.eventLoop).whenSuccess { sessions in
                var answer = ControlMessage.Answer()
                answer.sessions = sessions.sorted { $0.session < $1.session }
                bound.value.0.send(answer, context: bound.value.1)
            }
        }
        self.listeners.endSession(number, on: context.eventLoop).whenSuccess { ended in
            let (handler, context) = bound.value
            var answer = ControlMessage.Answer()
            answer.hasEnded = ended != nil
            if let ended {
                var record = AuditRecord(
                    event: "session end",
                    actor: request.actor,
                    from: "command line"
                )
                record.detail = ["session \(number) of \(ended.user)"]
                handler.gateway.audit.append(record)
            }
            handler.send(answer, context: context)
        }
    }

    /// What is in force; the file that is put into force counts a moment later.
    private func answerState(_ request: ControlMessage.Request, context: ChannelHandlerContext) {
        if let waiting = request.accept {
            guard self.gateway.store.accept(waiting) else {
                var answer = ControlMessage.Answer()
                answer.refusal = "the file was changed, or does not wait any more: say it again"
                return self.send(answer, context: context)
            }
            var record = AuditRecord(
                event: "change",
                actor: request.actor,
                from: "command line"
            )
            record.detail = ["store accept: revision \(waiting.revision), which lacks changes"]
            self.gateway.audit.append(record)
        }
        var answer = ControlMessage.Answer()
        answer.state = self.gateway.store.state
        self.send(answer, context: context)
    }

    /// A list of thousands of sessions takes its time to be written: that is done off the loop.
    private func send(_ answer: ControlMessage.Answer, context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        NIOThreadPool.singleton.runIfActive(eventLoop: context.eventLoop) {
            try JSONEncoder().encode(answer)
        }.whenComplete { result in
            let (handler, context) = bound.value
            guard case .success(let data) = result else { return context.close(promise: nil) }
            var octets = ByteBuffer(bytes: data)
            octets.writeStaticString("\n")
            context.writeAndFlush(handler.wrapOutboundOut(octets)).whenComplete { _ in
                bound.value.1.close(promise: nil)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
