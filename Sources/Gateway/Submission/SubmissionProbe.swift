import NIOCore
package import SASL
import Session
package import Store

/// Tests the submission server of an account with one login outside any session, for `account test`
/// and `doctor`.
package struct SubmissionProbe: Sendable {
    package init() {}

    /// Logs in, and sends no message.
    /// - Returns: the extensions that the server offers (RFC 5321 §4.1.1.1).
    /// - Throws: a ``ProbeError`` whose description names a remedy.
    package func probe(
        _ endpoint: Endpoint,
        credential: UpstreamCredential
    ) async throws(ProbeError) -> [String] {
        try await Probe.run(endpoint, credential: credential) { route, promise in
            SubmissionProbeConversation(promise).open(route)
        }
    }
}

/// A probe, which ends with the login. Used on its event loop only.
private final class SubmissionProbeConversation: UpstreamChannelDelegate {
    typealias Login = SubmissionLogin

    /// The name in EHLO: an address literal (RFC 5321 §4.1.3).
    private static let name = "[127.0.0.1]"

    /// Completed once, with the extensions or a ``ProbeError``.
    private let promise: EventLoopPromise<[String]>
    /// Closed when the promise is complete.
    private var channel: UpstreamChannel<SubmissionLogin>?

    init(_ promise: EventLoopPromise<[String]>) {
        self.promise = promise
    }

    /// Opens the connection. Completing the promise closes it.
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

    /// The login succeeded, which ends the probe.
    func channelReady(_ profile: SubmissionProfile, login: SubmissionLogin) {
        self.promise.succeed(profile.extensions)
    }

    /// Reports the failure; octets that are not SMTP mean a wrong port or `--tls`.
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

/// The errors of a submission login.
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
