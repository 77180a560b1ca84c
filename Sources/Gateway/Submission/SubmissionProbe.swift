import NIOCore
import NIOTLS
import SMTP
import Session
package import Store
import TLS

/// One login at the server that an account sends through, outside any session, to see what an
/// administrator has to know before the account is used.
package struct SubmissionProbe: Sendable {
    package init() {}

    /// Logs in, and sends nothing.
    /// - Returns: the extensions that the server offers.
    /// - Throws: why that failed, in words that say what to look at.
    package func probe(
        _ endpoint: Endpoint,
        credential: UpstreamCredential
    ) async throws(ProbeError) -> [String] {
        try await Probe.run(endpoint) { contexts, promise in
            SubmissionProbeHandler(
                endpoint,
                credential: credential,
                contexts: contexts,
                promise: promise
            )
        }
    }
}

/// The conversation of a probe.
private final class SubmissionProbeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let endpoint: Endpoint
    private let contexts: ClientContexts
    private let promise: EventLoopPromise<[String]>
    private var login: SubmissionLogin
    private var reader = ServerReplyReader()

    init(
        _ endpoint: Endpoint,
        credential: UpstreamCredential,
        contexts: ClientContexts,
        promise: EventLoopPromise<[String]>
    ) {
        self.endpoint = endpoint
        self.contexts = contexts
        self.promise = promise
        self.login = SubmissionLogin(
            credential: credential.forServer,
            startsTLS: endpoint.tls == .starttls,
            name: "[127.0.0.1]"
        )
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case TLSUserEvent.handshakeCompleted = event else {
            return context.fireUserInboundEventTriggered(event)
        }
        guard self.endpoint.tls == .starttls else { return }
        self.perform(self.login.tlsEstablished(), context: context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.reader.receive(self.unwrapInboundIn(data))
        do {
            while let reply = try self.reader.next() {
                let awaitedVerdict = self.login.awaitsVerdict
                let step = self.login.replyReceived(reply)
                // 421 instead of an answer.
                if awaitedVerdict, step == .fail(.unreachable) {
                    return self.promise.fail(ProbeError.loginUnanswered)
                }
                self.perform(step, context: context)
            }
        } catch {
            self.promise.fail(ProbeError.notSubmission)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.promise.fail(
            self.login.awaitsVerdict
                ? ProbeError.loginUnanswered : .unreachable("the connection was closed")
        )
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.login.awaitsVerdict {
            self.promise.fail(ProbeError.loginUnanswered)
        } else if let error = error as? TLSError {
            self.promise.fail(ProbeError.notTrusted("\(error)"))
        } else {
            self.promise.fail(ProbeError.unreachable("\(error)"))
        }
        context.close(promise: nil)
    }

    private func perform(_ step: SubmissionLogin.Step, context: ChannelHandlerContext) {
        switch step {
        case .send(let octets):
            context.writeAndFlush(self.wrapOutboundOut(octets), promise: nil)
        case .startTLS:
            // Nothing said before TLS counts after it (RFC 3207 §4.2).
            guard self.reader.bufferedOctets == 0 else {
                return self.promise.fail(ProbeError.notSubmission)
            }
            do {
                let tls = try self.contexts.context(for: self.endpoint)
                try context.pipeline.syncOperations.addHandler(
                    TLSHandler(client: tls, serverName: self.endpoint.host),
                    position: .first
                )
            } catch {
                self.promise.fail(ProbeError.notTrusted("\(error)"))
            }
        case .ready(let profile):
            self.promise.succeed(profile.extensions)
        case .fail(let fault):
            self.promise.fail(ProbeError(fault))
        }
    }
}

extension ProbeError {
    fileprivate init(_ fault: SubmissionFault) {
        switch fault {
        case .credentialRefused: self = .credentialRefused
        case .noMechanism: self = .noMechanism
        case .temporarilyRefused: self = .temporarilyRefused
        case .unreachable, .credentialSuspended, .serverUnanswering, .noServer:
            self = .notSubmission
        }
    }
}
