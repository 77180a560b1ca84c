import IMAP

import struct NIOCore.ByteBuffer

/// Why a login at an IMAP server ended without a usable connection.
package enum UpstreamLoginFailure: LoginFailure {
    /// The first response is not an IMAP greeting.
    case notIMAP
    /// The server sent BYE, or a greeting that is neither OK nor PREAUTH.
    case refusedGreeting
    /// The greeting is PREAUTH: the server needs no credential, so the credential does not decide whose mailboxes
    /// these are.
    case preauthenticated
    /// The server does not offer STARTTLS, or refused it.
    case noStartTLS
    /// Octets follow the server's positive answer to STARTTLS (RFC 9051 §6.2.1).
    case octetsBehindStartTLS
    case credentialRefused
    /// The server cannot check the credential now (RFC 5530 §3).
    case temporarilyRefused
    /// The server offers neither the credential's SASL mechanism nor a usable LOGIN.
    case noMechanism
    /// A response does not belong to the login or does not parse.
    case unexpectedResponse
    /// The server exceeded ``UpstreamLogin/maximumResponses``.
    case tooManyResponses
    /// The server accepted the credential but opens no mailbox for it.
    case noMailbox
    /// The server asks for a pause before the next login.
    case throttled(milliseconds: Int)

    package var verdict: CredentialVerdict {
        switch self {
        case .credentialRefused: .refused
        case .noMailbox, .temporarilyRefused: .undecided
        case .throttled(let milliseconds): .throttled(milliseconds: milliseconds)
        case .notIMAP, .refusedGreeting, .preauthenticated, .noStartTLS,
            .octetsBehindStartTLS, .noMechanism, .unexpectedResponse, .tooManyResponses:
            .unanswered
        }
    }
}

extension UpstreamLoginFailure {
    /// The failure for a refused login. The codes of a busy or broken server say nothing about the password
    /// (RFC 5530 §3).
    init(refusal text: ByteBuffer) {
        let parsed = try? ResponseText(text)
        self =
            switch parsed?.code {
            case .unavailable, .inUse, .limit, .serverBug: .temporarilyRefused
            default: .credentialRefused
            }
    }
}
