import NIOCore
import Session

/// The client session that a connection to a submission server belongs to. Both are used on one
/// event loop.
protocol SubmissionConnectionClient: AnyObject {
    /// Back-pressure: whether the client takes octets of the server.
    var isWritable: Bool { get }

    /// The login succeeded.
    func upstreamReady(_ profile: SubmissionProfile)
    /// The connection failed, before or during the login.
    func upstreamFailed(_ fault: SubmissionFault)
    /// Octets that the server sent after the login.
    func upstreamOctetsReceived(_ octets: ByteBuffer)
    /// The server, or the network, closed an established connection.
    func upstreamClosed()
    /// The server takes octets again.
    func upstreamWritabilityChanged()
}
