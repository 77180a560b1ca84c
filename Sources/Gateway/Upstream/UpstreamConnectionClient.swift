import Access
import NIOCore
import Session

/// The session for which a connection to a mail server is made. All is called on the event loop of both.
protocol UpstreamConnectionClient: AnyObject {
    /// The connection is logged in.
    func upstreamReady(_ account: AccountID, profile: UpstreamProfile, login: UpstreamLogin)
    /// The connection cannot be had.
    func upstreamFailed(_ account: AccountID, fault: UpstreamFault)
    func upstreamOctetsReceived(_ account: AccountID, octets: ByteBuffer)
    /// The connection ended without being asked to.
    func upstreamClosed(_ account: AccountID)
    func upstreamWritabilityChanged()
    /// Whether the server may be read: the client takes what came before.
    func wantsOctets(from account: AccountID) -> Bool
}
