import NIOCore
import Synchronization

/// The addresses at which mail servers were reached a moment ago.
///
/// To resolve a host name takes two other threads, and as long as the name server takes. Many
/// sessions connect to few servers, so an address is used again for a short time. Safe to use from
/// any thread.
final class ReachedAddresses: Sendable {
    private struct Reached {
        var address: SocketAddress
        /// When the host name is resolved again.
        var end: NIODeadline
    }

    /// How long an address is used: a server that moves is followed within this time.
    static let lifetime = TimeAmount.seconds(30)
    /// When it is reached, all addresses are dropped, which only costs look-ups.
    private static let maximumAddresses = 1_000

    private let reached = Mutex<[String: Reached]>([:])

    /// The address of a host name and port; nil if the name has to be resolved.
    func address(host: String, port: Int, at now: NIODeadline) -> SocketAddress? {
        self.reached.withLock { reached in
            guard let known = reached["\(host):\(port)"], now < known.end else { return nil }
            return known.address
        }
    }

    /// A connection to the host name was opened at this address, after a look-up.
    func keep(_ address: SocketAddress, host: String, port: Int, at now: NIODeadline) {
        self.reached.withLock { reached in
            if reached.count >= Self.maximumAddresses { reached = [:] }
            reached["\(host):\(port)"] = Reached(address: address, end: now + Self.lifetime)
        }
    }

    /// No connection could be opened at the address.
    func drop(host: String, port: Int) {
        self.reached.withLock { $0["\(host):\(port)"] = nil }
    }
}
