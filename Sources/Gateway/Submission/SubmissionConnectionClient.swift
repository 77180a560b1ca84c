import NIOCore
import Session

/// The session for which a connection to a server for sending is made. All is called on the event loop of both.
protocol SubmissionConnectionClient: AnyObject {
    /// Whether the client takes what the server says.
    var isWritable: Bool { get }

    /// The connection stands; the session logs in.
    func upstreamConnected(_ credential: ServerCredential, startsTLS: Bool)
    func upstreamTLSEstablished()
    /// The connection cannot be had.
    func upstreamFailed(_ fault: SubmissionFault)
    func upstreamOctetsReceived(_ octets: ByteBuffer)
    /// The connection ended without being asked to.
    func upstreamClosed()
    func upstreamWritabilityChanged()
}
