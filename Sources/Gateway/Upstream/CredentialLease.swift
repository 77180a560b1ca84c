import Access
import NIOCore
import SASL
import Store
import Synchronization

/// A stored credential with the circuit breaker's permission for one login. Releasing it without a
/// verdict counts as a login without a verdict.
final class CredentialLease: Sendable {
    /// What the login sends.
    let credential: UpstreamCredential
    /// When the circuit breaker permitted the login. The login's time runs from here, without the
    /// wait for other logins.
    let began: NIODeadline
    /// Nil for a probe of the command line: it does not ask the circuit breaker, and reports its
    /// result to the running gateway.
    private let attempt: CredentialBreaker.Attempt?
    /// Where a refused token is dropped.
    private let source: CredentialSource?
    private let wasSent = Atomic(false)

    init(
        _ credential: UpstreamCredential,
        attempt: CredentialBreaker.Attempt? = nil,
        source: CredentialSource? = nil,
        began: NIODeadline
    ) {
        self.began = began
        self.credential = credential
        self.attempt = attempt
        self.source = source
    }

    /// The credential was sent. A server that then closes the connection without an answer gets no
    /// logins for a moment.
    func credentialSent(at now: NIODeadline) {
        self.wasSent.store(true, ordering: .relaxed)
        self.attempt?.credentialSent(at: now)
    }

    /// Whether the server has the credential.
    var isSent: Bool { self.wasSent.load(ordering: .relaxed) }

    /// The time that is left for the server's answer.
    /// - Parameter time: the whole time for an answer, from the sending of the credential.
    /// - Returns: nil if the server owes no answer, or the time has passed.
    func timeForVerdict(of time: TimeAmount, at now: NIODeadline) -> TimeAmount? {
        self.attempt?.answerDue(after: time).flatMap { $0 > now ? $0 - now : nil }
    }

    /// The server answered, but the answer does not judge the credential: it is busy, or the
    /// mailbox is missing.
    func answeredWithoutVerdict() {
        self.attempt?.answeredWithoutVerdict()
    }

    /// The server accepted the credential.
    func accepted() {
        self.attempt?.accepted()
    }

    /// The server refused the credential. A token is fetched anew; a password is suspended.
    func refused() {
        self.source?.refused(self.credential)
        self.attempt?.refused()
    }
}

/// The errors of a lease.
extension CredentialLease {
    /// The account's token did not arrive in time.
    struct TokenTooLate: Error {}
}

/// Leases for connections of sessions and conversations.
extension UpstreamServices {
    /// The credential for a login at an account's server, with the circuit breaker's permission.
    /// - Parameter user: the user whose session logs in; nil for the gateway's own conversations.
    /// - Returns: a future on `loop`, complete at once if nothing has to be awaited. It fails with
    ///   the errors of ``CredentialBreaker/attempt(_:service:of:on:)``, with
    ///   ``CredentialLease/TokenTooLate``, or with the reason why there is no credential.
    func credentialLease(
        of account: UpstreamAccount,
        for service: CredentialService,
        by user: UserID?,
        on loop: any EventLoop
    ) -> EventLoopFuture<CredentialLease> {
        self.credentialBreaker.attempt(account, service: service, of: user, on: loop).flatMap {
            attempt in
            let began = loop.now
            return self.credential(of: account, on: loop).map { credential in
                CredentialLease(
                    credential,
                    attempt: attempt,
                    source: self.credentials,
                    began: began
                )
            }
        }
    }

    /// A token must arrive within the time of a login, because other logins wait for this one.
    private func credential(
        of account: UpstreamAccount,
        on loop: any EventLoop
    ) -> EventLoopFuture<UpstreamCredential> {
        let credential = self.credentials.credential(of: account, on: loop)
        guard account.usesToken else { return credential }
        let promise = loop.makePromise(of: UpstreamCredential.self)
        let timeout = loop.scheduleTask(in: self.limits.upstreamTimeout) {
            promise.fail(CredentialLease.TokenTooLate())
        }
        credential.cascade(to: promise)
        promise.futureResult.whenComplete { _ in timeout.cancel() }
        return promise.futureResult
    }
}
