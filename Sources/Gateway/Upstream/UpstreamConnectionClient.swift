import Access
import NIOCore
import Session

/// The client session that a connection to a mail server belongs to. Both are used on one event
/// loop.
protocol UpstreamConnectionClient: AnyObject {
    /// The login succeeded.
    func upstreamReady(_ account: AccountID, profile: UpstreamProfile, login: UpstreamLogin)
    /// The connection failed, before or during the login.
    func upstreamFailed(_ account: AccountID, fault: UpstreamFault)
    /// Octets that the server sent after the login.
    func upstreamOctetsReceived(_ account: AccountID, octets: ByteBuffer)
    /// The server, or the network, closed the connection after the login.
    func upstreamClosed(_ account: AccountID)
    /// The server takes octets again.
    func upstreamWritabilityChanged()
    /// Back-pressure: whether the server may be read.
    func wantsOctets(from account: AccountID) -> Bool
}
