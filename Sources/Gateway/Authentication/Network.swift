import Glibc
import NIOCore

/// Where a client comes from, as limits count it: an IPv4 address, or an IPv6 /64. One subscriber has a whole /64
/// at least, so that a limit for each IPv6 address limits nobody.
struct Network: Hashable, Sendable, CustomStringConvertible {
    private static let subnetOctets = 8
    private static let siteOctets = 6
    private static let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    /// 4 of an IPv4 address, 8 of a /64, 6 of a /48; none where the client has no address.
    let octets: [UInt8]

    /// An address as it is in a packet: 4 or 16 octets, in network order.
    init(packed octets: [UInt8]) {
        guard octets.count == 16 else {
            self.octets = octets
            return
        }
        // An IPv4 client of a socket for both (RFC 4291 §2.5.5.2).
        let isMapped = octets.starts(with: Self.mappedPrefix)
        self.octets = isMapped ? Array(octets.suffix(4)) : Array(octets.prefix(Self.subnetOctets))
    }

    init(_ address: SocketAddress?) {
        self.init(text: address?.ipAddress)
    }

    /// - Parameter text: an address as inet_ntop(3) writes it; nil and others are no network.
    init(text: String?) {
        let text = text ?? ""
        // In network byte order, as long as the longest address.
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

    /// The IPv6 /48, of one site or one customer of a hosting company; an IPv4 address itself.
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
