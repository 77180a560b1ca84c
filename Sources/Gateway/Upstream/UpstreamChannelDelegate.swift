import NIOCore
import Session

/// Whoever uses a connection to a server. All is called on its event loop.
protocol UpstreamChannelDelegate<Login>: AnyObject {
    associatedtype Login: ServerLogin

    /// Whether the server may be read, once it is logged in: what came before was taken.
    var wantsOctets: Bool { get }
    /// The gateway is logged in; what the server says from now on follows.
    func channelReady(_ profile: Login.Profile, login: Login)
    /// The connection cannot be had. It is told once, or twice where a server owed its verdict
    /// (``UpstreamFailure/timedOut(isHeard:)``), and may then be ready yet.
    func channelFailed(_ failure: UpstreamFailure<Login.Failure>)
    func channelReceived(_ octets: ByteBuffer)
    /// The connection ended behind the login, without being asked to.
    func channelClosed()
    func channelBecameWritable()
}
