import Dispatch
import Foundation
import Synchronization

/// An address of a server, as `connect` takes it.
struct SocketAddress: Sendable {
    var family: CInt
    /// The octets of a `sockaddr`.
    var octets: [UInt8]
}

/// The resolution of host names with a time limit, which `getaddrinfo` lacks.
enum Resolution {
    /// The result of one resolution, which its thread delivers.
    private final class Answer: Sendable {
        let addresses = Mutex<Result<[SocketAddress], DirectoryError>?>(nil)
        let arrived = DispatchSemaphore(value: 0)
    }

    /// The most resolutions at a time, those included whose callers have gone: while the name
    /// server does not answer, every login would leave another thread behind.
    private static let maximumThreads = 32
    private static let threads = Mutex(0)

    /// The addresses of a host, in the order of preference.
    ///
    /// The first call also initializes libldap, which resolves the name of this machine.
    /// - Throws: `unavailable`.
    static func addresses(
        of server: DirectoryServer,
        until deadline: Deadline
    ) throws(DirectoryError) -> [SocketAddress] {
        let isAdmitted = self.threads.withLock { count in
            guard count < self.maximumThreads else { return false }
            count += 1
            return true
        }
        guard isAdmitted else {
            throw .unavailable("\(server): too many resolutions of host names are in progress")
        }
        let answer = Answer()
        Thread.detachNewThread {
            LDAPLibrary.initialize()
            let result = self.resolve(server)
            answer.addresses.withLock { $0 = result }
            self.threads.withLock { $0 -= 1 }
            answer.arrived.signal()
        }
        let end = DispatchTime.now() + .milliseconds(deadline.milliseconds)
        guard answer.arrived.wait(timeout: end) == .success,
            let result = answer.addresses.withLock({ $0 })
        else { throw .unavailable("\(server): the name resolution takes too long") }
        return try result.get()
    }

    private static func resolve(
        _ server: DirectoryServer
    ) -> Result<[SocketAddress], DirectoryError> {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(server.host, String(server.port), &hints, &list)
        guard code == 0 else {
            let reason = PeerText.printable(gai_strerror(code))
            return .failure(.unavailable("\(server): the host name has no address: \(reason)"))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let info = next?.pointee {
            if let address = info.ai_addr {
                let octets = UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen))
                addresses.append(SocketAddress(family: info.ai_family, octets: Array(octets)))
            }
            next = info.ai_next
        }
        return .success(addresses)
    }
}
