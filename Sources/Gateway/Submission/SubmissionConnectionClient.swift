import NIOCore
import Session

/// The session for which a connection to a server for sending is made. All is called on the event loop of both.
protocol SubmissionConnectionClient: AnyObject {
    /// Whether the client takes what the server says.
    var isWritable: Bool { get }

    /// The connection is logged in.
    func upstreamReady(_ profile: SubmissionProfile)
    /// The connection cannot be had.
    func upstreamFailed(_ fault: SubmissionFault)
    func upstreamOctetsReceived(_ octets: ByteBuffer)
    /// The connection ended without being asked to.
    func upstreamClosed()
    func upstreamWritabilityChanged()
}
