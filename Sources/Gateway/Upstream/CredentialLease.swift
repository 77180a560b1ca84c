import Access
import NIOCore
import SASL
import Store

/// A stored credential, and the circuit breaker's permission for one login with it. If it is released without a
/// verdict, the login came to none.
final class CredentialLease: Sendable {
    let credential: UpstreamCredential
    /// When the circuit breaker let the login go: its time runs from here, without the wait for other logins.
    let began: NIODeadline
    /// Nil for a command that tries a server: it asks no circuit breaker, and tells the gateway what it found.
    private let attempt: CredentialBreaker.Attempt?
    private let source: CredentialSource?

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

    /// The server gets the credential. A server that ends the login without an answer is left alone for a moment.
    func credentialSent(at now: NIODeadline) {
        self.attempt?.credentialSent(at: now)
    }

    /// How long a server that has the credential may still take to answer, if it has so long for that; nil where it
    /// does not owe an answer, or the time has passed.
    func timeForVerdict(of time: TimeAmount, at now: NIODeadline) -> TimeAmount? {
        self.attempt?.answerDue(after: time).flatMap { $0 > now ? $0 - now : nil }
    }

    /// The server answered, and its answer says nothing about the credential: it is busy, or lacks the mailbox.
    func answeredWithoutVerdict() {
        self.attempt?.answeredWithoutVerdict()
    }

    /// The server accepted the credential.
    func accepted() {
        self.attempt?.accepted()
    }

    /// The server refused the credential: a token is fetched anew, a password rests.
    func refused() {
        self.source?.refused(self.credential)
        self.attempt?.refused()
    }
}

extension CredentialLease {
    /// The token that an account logs in with did not come in time.
    struct TokenTooLate: Error {}
}

extension UpstreamServices {
    /// What to log in with at an account's server now.
    /// - Parameter user: whose session logs in; nil for the gateway's own conversations.
    /// - Returns: fails with ``CredentialBreaker/Suspended`` where the credential rests, as
    ///   ``CredentialBreaker/attempt(_:_:of:on:)`` says, and with the reason where there is none; on the loop, and at once where nobody has to be asked.
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

    /// Other logins wait meanwhile: a token has no longer than the login.
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
