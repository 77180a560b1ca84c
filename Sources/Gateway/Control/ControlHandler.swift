import Access
import Foundation
import Glibc
import Logging
import NIOCore
import NIOPosix
import Store
import Synchronization

/// Serves one administrator's command: reads one line of JSON, answers with one line, and closes
/// the connection.
final class ControlHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let gateway: GatewayContext
    private let listeners: any ControlledSessions
    /// The request so far.
    private var received = ControlLine(maximumOctets: ControlLine.maximumRequestOctets)
    /// Whether the request was read; further octets are ignored.
    private var isAnswered = false

    init(gateway: GatewayContext, listeners: any ControlledSessions) {
        self.gateway = gateway
        self.listeners = listeners
    }

    /// Collects the request. A line that is too long, or not a request, closes the connection
    /// without an answer.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.received.receive(self.unwrapInboundIn(data)) else {
            return context.close(promise: nil)
        }
        guard !self.isAnswered, self.received.isWhole else { return }
        self.isAnswered = true
        let line = Data(self.received.octets.readableBytesView)
        guard let request = try? JSONDecoder().decode(ControlMessage.Request.self, from: line)
        else {
            return context.close(promise: nil)
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.peer(of: context).whenComplete { result in
            let (handler, context) = bound.value
            guard case .success(let peer) = result, Self.mayAsk(peer, gatewayUser: geteuid()) else {
                var answer = ControlMessage.Answer()
                answer.refusal = "only root and the gateway's user may send commands"
                return handler.send(answer, context: context)
            }
            handler.carryOut(request, context: context)
        }
    }

    /// Whether a user of this machine may send commands: root, and the user that the gateway runs
    /// as.
    static func mayAsk(_ peer: uid_t, gatewayUser: uid_t) -> Bool {
        peer == 0 || peer == gatewayUser
    }

    /// The user at the other end, as the kernel reports it (`SO_PEERCRED`, unix(7)).
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

    /// Performs a request of an authorized user.
    private func carryOut(_ request: ControlMessage.Request, context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        if request.credentials != nil || request.sentCopies != nil {
            // This iterates over all suspended accounts, or reads the folder of the copies: keep it off
            // the clients' event loop.
            return NIOThreadPool.singleton.runIfActive(eventLoop: context.eventLoop) {
                [gateway = self.gateway] in
                var answer = ControlMessage.Answer()
                answer.credentials = request.credentials.map { gateway.upstream.answer($0) }
                answer.sentCopies = request.sentCopies.map { gateway.sentCopies.answer($0) }
                return answer
            }.whenSuccess { bound.value.0.send($0, context: bound.value.1) }
        }
        if request.state == true || request.accept != nil {
            return self.answerState(request, context: context)
        }
        SessionRequests(sessions: self.listeners, audit: self.gateway.audit)
            .answer(end: request.end, actor: request.actor, on: context.eventLoop)
            .whenSuccess { bound.value.0.send($0, context: bound.value.1) }
    }

    /// Answers with the state of the store. A file that the request accepts is in force a moment
    /// later.
    private func answerState(_ request: ControlMessage.Request, context: ChannelHandlerContext) {
        if let waiting = request.accept {
            guard self.gateway.store.accept(waiting) else {
                var answer = ControlMessage.Answer()
                answer.refusal =
                    "the file has changed, or is not waiting any more: run the command again"
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
        answer.state?.missingCopies = self.gateway.sentCopies.missing.withLock { $0 }
        self.send(answer, context: context)
    }

    /// Encodes the answer on a background thread, because a list of thousands of sessions takes
    /// long, and closes the connection after it.
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

    /// An I/O error: the command reports that the gateway gave no answer.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
