import Glibc
import NIOCore

/// The unit by which limits count clients: an IPv4 address, or an IPv6 /64.
///
/// One subscriber has at least a whole /64, so a limit for single IPv6 addresses would limit
/// nobody.
struct Network: Hashable, Sendable, CustomStringConvertible {
    /// The octets of an IPv6 /64.
    private static let subnetOctets = 8
    /// The octets of an IPv6 /48.
    private static let siteOctets = 6
    /// The prefix of an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2).
    private static let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    /// The prefix: 4 octets of an IPv4 address, 8 of a /64, 6 of a /48; empty for a client without
    /// an address.
    let octets: [UInt8]

    /// - Parameter octets: an address in network byte order, 4 or 16 octets.
    init(packed octets: [UInt8]) {
        guard octets.count == 16 else {
            self.octets = octets
            return
        }
        // A dual-stack socket shows an IPv4 client so (RFC 4291 §2.5.5.2).
        let isMapped = octets.starts(with: Self.mappedPrefix)
        self.octets = isMapped ? Array(octets.suffix(4)) : Array(octets.prefix(Self.subnetOctets))
    }

    /// The network of a client; empty for a channel without an IP address.
    init(_ address: SocketAddress?) {
        self.init(text: address?.ipAddress)
    }

    /// - Parameter text: an address in the form of inet_ntop(3). Nil and any other text give the
    ///   empty network.
    init(text: String?) {
        let text = text ?? ""
        // Network byte order; the longest address has 16 octets.
        var address = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &address) == 1 {
            self.init(packed: Array(address.prefix(4)))
        } else if inet_pton(AF_INET6, text, &address) == 1 {
            self.init(packed: address)
        } else {
            self.init(packed: [])
        }
    }

    private init(octets: [UInt8]) {
        self.octets = octets
    }

    /// The IPv6 /48: one site, or one customer of a hosting company. An IPv4 address is its own
    /// site.
    var site: Network {
        self.octets.count == Self.subnetOctets
            ? Network(octets: Array(self.octets.prefix(Self.siteOctets))) : self
    }

    /// `192.0.2.7`, `2001:db8:0:1::/64`, `2001:db8:0::/48`
    var description: String {
        if self.octets.count == 4 { return self.octets.map { "\($0)" }.joined(separator: ".") }
        guard !self.octets.isEmpty else { return "" }
        let groups = stride(from: 0, to: self.octets.count - 1, by: 2).map { index in
            String(Int(self.octets[index]) << 8 | Int(self.octets[index + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "::/\(self.octets.count * 8)"
    }
}
