import NIOCore
import Store

/// A stored credential, and the circuit breaker's permission for one login with it. If it is released without a
/// verdict, the login came to none.
final class CredentialLease: Sendable {
    let credential: UpstreamCredential
    private let attempt: CredentialBreaker.Attempt
    private let source: CredentialSource

    fileprivate init(
        _ credential: UpstreamCredential,
        _ attempt: CredentialBreaker.Attempt,
        _ source: CredentialSource
    ) {
        self.credential = credential
        self.attempt = attempt
        self.source = source
    }

    /// The server gets the credential. A server that ends the login without an answer is left alone for a moment.
    func credentialSent() {
        self.attempt.credentialSent()
    }

    /// The server answered, and its answer says nothing about the credential: it is busy, or lacks the mailbox.
    func answeredWithoutVerdict() {
        self.attempt.answeredWithoutVerdict()
    }

    /// The server accepted the credential.
    func accepted() {
        self.attempt.accepted()
    }

    /// The server refused the credential: a token is fetched anew, a password rests.
    func refused() {
        self.source.refused(self.credential)
        self.attempt.refused()
    }
}

extension Environment {
    /// What to log in with at an account's server now.
    /// - Returns: fails with ``CredentialBreaker/Suspended`` where the credential rests, as
    ///   ``CredentialBreaker/attempt(_:_:on:)`` says, and with the reason where there is none; on the loop, and at once where nobody has to be asked.
    func credentialLease(
        of account: UpstreamAccount,
        for service: CredentialService,
        on loop: any EventLoop
    ) -> EventLoopFuture<CredentialLease> {
        self.credentialBreaker.attempt(account, service, on: loop).flatMap { attempt in
            self.credentials.credential(of: account, on: loop).map { credential in
                CredentialLease(credential, attempt, self.credentials)
            }
        }
    }
}
