import NIOCore
package import SASL
import Session
package import Store

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
        try await Probe.run(endpoint, credential: credential) { route, promise in
            SubmissionProbeConversation(promise).open(route)
        }
    }
}

/// The conversation of a probe.
private final class SubmissionProbeConversation: UpstreamChannelDelegate {
    typealias Login = SubmissionLogin

    /// What a command calls itself in EHLO.
    private static let name = "[127.0.0.1]"

    private let promise: EventLoopPromise<[String]>
    private var channel: UpstreamChannel<SubmissionLogin>?

    init(_ promise: EventLoopPromise<[String]>) {
        self.promise = promise
    }

    func open(_ route: UpstreamRoute) {
        let isSTARTTLS = route.endpoint.tls == .starttls
        let loop = self.promise.futureResult.eventLoop
        let channel = UpstreamChannel(route, delegate: self, on: loop) { credential in
            SubmissionLogin(credential: credential, startsTLS: isSTARTTLS, name: Self.name)
        }
        self.channel = channel
        let bound = NIOLoopBound(channel, eventLoop: loop)
        self.promise.futureResult.whenComplete { _ in bound.value.close() }
        channel.open()
    }

    var wantsOctets: Bool { true }

    func channelReady(_ profile: SubmissionProfile, login: SubmissionLogin) {
        self.promise.succeed(profile.extensions)
    }

    func channelFailed(_ failure: UpstreamFailure<SubmissionFault>) {
        if case .violation = failure { return self.promise.fail(ProbeError.notSubmission) }
        let owedVerdict = self.channel?.driver?.owedVerdict ?? false
        self.promise.fail(
            ProbeError(failure, of: self.channel) { fault in
                // 421 instead of an answer.
                owedVerdict && fault == .unreachable ? .loginUnanswered : ProbeError(fault)
            }
        )
    }

    func channelReceived(_ octets: ByteBuffer) {}

    func channelClosed() {}

    func channelBecameWritable() {}
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
