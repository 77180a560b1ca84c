import IMAP

import struct NIOCore.ByteBuffer

extension UpstreamLogin {
    /// Why a login ended without a usable connection.
    package enum Failure: Error, Equatable, Sendable {
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
    }
}

extension UpstreamLogin.Failure {
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

extension Quirks {
    /// What a status response of a server in trouble means for the login, or for the session behind it.
    static func failure(_ text: ByteBuffer) -> UpstreamLogin.Failure? {
        switch self.trouble(text) {
        case .noMailbox: .noMailbox
        case .throttled(let milliseconds): .throttled(milliseconds: milliseconds)
        case nil: nil
        }
    }
}

/// Why a login ended, or why a session ended behind it.
package typealias UpstreamLoginFailure = UpstreamLogin.Failure
