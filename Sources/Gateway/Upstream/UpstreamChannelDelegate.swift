import NIOCore
import Session

/// The user of a connection to a server. The channel calls all methods on its event loop.
protocol UpstreamChannelDelegate<Login>: AnyObject {
    associatedtype Login: ServerLogin

    /// Back-pressure: whether the server may be read. Asked after the login only.
    var wantsOctets: Bool { get }
    /// The login succeeded; the server's next octets follow.
    /// - Parameter login: the login's state machine, for values that it collected.
    func channelReady(_ profile: Login.Profile, login: Login)
    /// The connection failed. Called once, with one exception: after
    /// ``UpstreamFailure/timedOut(isHeard:)`` with `true` the server's answer still comes, and
    /// ``channelReady(_:login:)`` or a second failure follows.
    func channelFailed(_ failure: UpstreamFailure<Login.Failure>)
    /// Octets that the server sent after the login.
    func channelReceived(_ octets: ByteBuffer)
    /// The connection ended after the login, and not because the delegate closed it.
    func channelClosed()
    /// The server takes octets again.
    func channelBecameWritable()
}
