import IMAP

import struct NIOCore.ByteBuffer

/// Why a login ended without a usable connection.
package enum UpstreamLoginFailure: LoginFailure {
    case notIMAP
    case refusedGreeting
    case preauthenticated
    case noStartTLS
    case octetsBehindStartTLS
    case credentialRefused
    /// The server cannot check the credential now (RFC 5530 §3).
    case temporarilyRefused
    case noMechanism
    case unexpectedResponse
    /// The server said more than belongs to a login.
    case tooManyResponses
    /// The server took the credential, and has no mailbox for it.
    case noMailbox
    /// The server asks to be left alone.
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
    /// What the text of a refusal says: a server that is busy says nothing about the password (RFC 5530 §3).
    init(refusal text: ByteBuffer) {
        let parsed = try? ResponseText(text)
        self =
            switch parsed?.code {
            case .unavailable, .inUse, .limit, .serverBug: .temporarilyRefused
            default: .credentialRefused
            }
    }
}
