package import Access

package import struct NIOCore.ByteBuffer

/// One effect that a submission session asks for; performed in order by whoever holds the
/// channels.
package enum SubmissionAction: Equatable, Sendable {
    case toClient(ByteBuffer)
    case toUpstream(ByteBuffer)
    /// Connect to the server an account sends through and log in, then `upstreamReady` or
    /// `upstreamFailed`.
    case openUpstream(AccountID)
    /// Drop the connection to the server; nothing is heard of it any more.
    case closeUpstream
    /// Keep these octets of the message, the next of it, for the Sent folder.
    case keepCopy(ByteBuffer)
    /// Bring what was kept to the disk, then `copyKept` with this number.
    case syncCopy(UInt64)
    /// The message went out: give what was kept the names under which a restart files it, then `copyFiled` with
    /// this number.
    case fileCopy(UInt64, [AccountID], own: Set<AccountID>, messageID: ByteBuffer?)
    /// It did not: throw away what was kept.
    case dropCopy
    /// Put this in the audit log.
    case audit(AuditEvent)
    /// Check a password off the loop, then `authenticationFinished`.
    case authenticate(Credentials)
    /// Put TLS under the client's connection, then `tlsEstablished`.
    case startTLS
    /// Call `resumeReading` once the other sessions on the event loop have had their turn.
    case readLater
    case closeClient
}

/// Why an account cannot send now.
package enum SubmissionFault: Error, Equatable, Sendable {
    case unreachable
    case credentialRefused
    /// The server cannot check the credential now (RFC 4954 §6, 454).
    case temporarilyRefused
    /// A server refused the credential a while ago, and is not asked again yet.
    case credentialSuspended
    /// The server ended logins without an answer a moment ago, and is not asked again yet.
    case serverUnanswering
    /// The server takes no login that the gateway can make.
    case noMechanism
    /// The account has no server for sending.
    case noServer
}

extension SubmissionAction: ClientBound {
    package var octetsToClient: ByteBuffer? {
        guard case .toClient(let octets) = self else { return nil }
        return octets
    }
}
