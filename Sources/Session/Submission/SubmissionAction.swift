package import Access

package import struct NIOCore.ByteBuffer

/// One effect of a submission session. The channel handler performs the effects in order.
package enum SubmissionAction: Equatable, Sendable {
    /// Send these octets to the client.
    case toClient(ByteBuffer)
    /// Send these octets to the submission server.
    case toUpstream(ByteBuffer)
    /// Connect to the submission server of an account and log in, then call `upstreamReady` or
    /// `upstreamFailed`.
    case openUpstream(AccountID)
    /// Close the connection to the submission server, and deliver no more of its events.
    case closeUpstream
    /// Append these octets of the message to the copy for the Sent folder.
    case keepCopy(ByteBuffer)
    /// Write the copy to the disk under names that a restart finds, then call `copyKept` with this number. `own` has
    /// the accounts that the user owns.
    case syncCopy(UInt64, [AccountID], own: Set<AccountID>, messageID: ByteBuffer?)
    /// The server accepted the message. Mark the copy as sent, then call `copyFiled` with this number.
    case fileCopy(UInt64)
    /// The server accepted a message whose copy could not be kept. Record which accounts lack it.
    case copyMissing([AccountID], messageID: ByteBuffer?)
    /// The message is not sent. Discard the copy.
    case dropCopy
    /// Write this record to the audit log.
    case audit(AuditEvent)
    /// Check a password off the event loop, then call `authenticationFinished`.
    case authenticate(Credentials)
    /// Start the TLS handshake with the client, then call `tlsEstablished`.
    case startTLS
    /// Call `resumeReading` after the other sessions on the event loop have run.
    case readLater
    /// Close the client's connection.
    case closeClient
}

/// Why an account cannot send now.
package enum SubmissionFault: Error, Equatable, Sendable {
    /// No connection, or the server broke the protocol or refused the session.
    case unreachable
    case credentialRefused
    /// The server cannot check the credential now (RFC 4954 §6, 454).
    case temporarilyRefused
    /// The server refused the credential recently; the gateway does not try it again yet.
    case credentialSuspended
    /// The server recently closed connections before it answered the login; the gateway does not try it again yet.
    case serverUnanswering
    /// The server offers no mechanism that the gateway can use with this credential.
    case noMechanism
    /// The account has no submission server.
    case noServer
}

extension SubmissionAction: ClientBound {
    package var octetsToClient: ByteBuffer? {
        guard case .toClient(let octets) = self else { return nil }
        return octets
    }
}
