package import Access

package import struct NIOCore.ByteBuffer

/// The machine of one client's session, whatever protocol the client speaks: octets and events in, actions out.
///
/// Each event may lead to actions; who holds the channels takes them with ``takeActions(into:)`` and performs them in
/// order.
package protocol ClientSessionMachine: SendableMetatype {
    associatedtype Action: ClientBound

    /// The user who is logged in.
    var authenticatedUser: UserID? { get }
    /// Whether the client's next octets are wanted now.
    var wantsClientOctets: Bool { get }
    /// Whether a message is on its way that the gateway's end should not cut. The session outlasts its client then.
    var hasTransaction: Bool { get }
    /// The mailbox that is open.
    var openPlace: AuditEvent.Place? { get }

    /// The connection is open, and secured where it is implicit TLS: greets the client.
    mutating func opened()
    /// TLS is up after STARTTLS; everything known before is gone.
    mutating func tlsEstablished()
    mutating func clientOctetsReceived(_ octets: ByteBuffer, at now: Moment)
    /// The client is gone: a message that was arriving is cut.
    mutating func clientClosed()
    /// The password was checked.
    mutating func authenticationFinished(_ outcome: AuthenticationOutcome)

    /// What is judged next is judged as of now.
    mutating func timePassed(at now: Moment)
    /// The client took too long to log in, or was silent too long after that.
    mutating func idleTimeoutPassed()
    /// The store published other permissions. A user who is not enabled any more is told to go; else what was stopped
    /// is answered, and what the client sent behind it may run.
    mutating func snapshotChanged(_ snapshot: Snapshot, at now: Moment)
    /// The store published other permissions, which decide about this user as before.
    mutating func otherPermissionsChanged(_ snapshot: Snapshot, at now: Moment)
    /// The gateway stops.
    mutating func shutdownRequested()
    /// An administrator ends the session.
    mutating func endRequested()
    /// Records how many messages were read until now.
    mutating func auditReadingEnded()

    /// Lets the other sessions on the event loop work; ``resumeReading(at:)`` goes on.
    mutating func yieldLoop()
    /// The session has the event loop again.
    mutating func resumeReading(at now: Moment)

    /// Puts the actions since the last call, in order, into `taken`, whose storage serves the next.
    mutating func takeActions(into taken: inout [Action])
}

extension ClientSession: ClientSessionMachine {
    /// IMAP clients try again what was cut.
    package var hasTransaction: Bool { false }
}

extension SubmissionSession: ClientSessionMachine {
    /// A client that sends opens no mailbox.
    package var openPlace: AuditEvent.Place? { nil }

    /// A client that sends reads no messages.
    package mutating func auditReadingEnded() {}
}
