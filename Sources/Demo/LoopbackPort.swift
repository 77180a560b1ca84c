import Foundation
import Synchronization

/// TCP ports of 127.0.0.1.
package enum LoopbackPort {
    /// Ports below the ephemeral range of the system: no connection and no server that asks for any
    /// port takes one between the check and the start of its server.
    private static let range = 20_000..<32_768
    /// The number of ports to try.
    private static let tries = 1_000
    /// The ports that this process has already chosen.
    private static let given = Mutex(Set<Int>())

    /// A free port for a server that starts later.
    /// - Parameter port: the preferred port; 0 for any.
    /// - Throws: ``DemoError`` if no port is free.
    package static func free(preferring port: Int) throws -> Int {
        if port != 0, self.isFree(port) { return port }
        for _ in 0..<Self.tries {
            let port = Int.random(in: Self.range)
            guard self.given.withLock({ $0.insert(port).inserted }), self.isFree(port) else {
                continue
            }
            return port
        }
        throw DemoError("no free port on 127.0.0.1")
    }

    /// Whether a server accepts connections at the port.
    package static func accepts(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return self.withAddress(port) { connect(descriptor, $0, $1) } == 0
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        return self.withAddress(port) { Foundation.bind(descriptor, $0, $1) } == 0
    }

    private static func withAddress(
        _ port: Int,
        body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
