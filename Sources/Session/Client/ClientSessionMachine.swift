package import Access

package import struct NIOCore.ByteBuffer

/// The state machine of a client's session in any protocol: octets and events in, actions out.
///
/// Each event may cause actions. The owner of the channels takes them with ``takeActions(into:)``
/// and performs them in order.
package protocol ClientSessionMachine: SendableMetatype {
    associatedtype Action: ClientBound

    /// The user who is logged in.
    var authenticatedUser: UserID? { get }
    /// Whether the session accepts octets of the client now (back-pressure).
    var wantsClientOctets: Bool { get }
    /// Whether a message is being sent that the shutdown of the gateway should not interrupt. Such
    /// a session may continue after its client has closed the connection.
    var hasTransaction: Bool { get }
    /// The mailbox that is selected.
    var openMailbox: AuditEvent.MailboxReference? { get }

    /// The connection is open, and for implicit TLS the handshake is complete: greets the client.
    mutating func opened()
    /// TLS is established after STARTTLS. The session discards what it received before.
    mutating func tlsEstablished()
    /// Octets have arrived from the client.
    mutating func clientOctetsReceived(_ octets: ByteBuffer, at now: Moment)
    /// The client's connection was closed. A message that was arriving is incomplete.
    mutating func clientClosed()
    /// The check of the password has finished.
    mutating func authenticationFinished(_ outcome: AuthenticationOutcome)

    /// Sets the time by which the next decisions are made.
    mutating func timePassed(at now: Moment)
    /// The client took too long to log in, or was silent for too long after login.
    mutating func idleTimeoutPassed()
    /// The store has published other permissions. The session of a user who is not enabled any more
    /// ends. In every other session, commands that are no longer permitted are answered, and
    /// pipelined commands may run.
    mutating func snapshotChanged(_ snapshot: Snapshot, at now: Moment)
    /// The store published other permissions, which decide about this user as before.
    mutating func otherPermissionsChanged(_ snapshot: Snapshot, at now: Moment)
    /// The gateway shuts down.
    mutating func shutdownRequested()
    /// The credential of the login has expired, or was revoked.
    mutating func loginEnded()
    /// An administrator ends the session.
    mutating func endRequested()
    /// Records how many messages were read since the last record.
    mutating func auditReadingEnded()

    /// Yields the event loop to other sessions; ``resumeReading(at:)`` continues.
    mutating func yieldLoop()
    /// The session may continue after a yield.
    mutating func resumeReading(at now: Moment)

    /// Moves the actions since the last call, in order, into `taken`. The storage of `taken` is
    /// reused for the next actions.
    mutating func takeActions(into taken: inout [Action])
}

extension ClientSessionMachine {
    /// Reads the session in place.
    ///
    /// A getter that is called on a property of a class gets a copy of the session, with a reference
    /// count for each of its fields.
    @inlinable
    package mutating func read<Value>(_ body: (borrowing Self) -> Value) -> Value {
        body(self)
    }
}

extension ClientSession: ClientSessionMachine {
    /// Always false: IMAP clients repeat a command that was interrupted.
    package var hasTransaction: Bool { false }
}

extension SubmissionSession: ClientSessionMachine {
    /// Always nil: a submission client selects no mailbox.
    package var openMailbox: AuditEvent.MailboxReference? { nil }

    /// Does nothing: a submission client reads no messages.
    package mutating func auditReadingEnded() {}
}
