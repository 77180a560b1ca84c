/// An LDAP server (RFC 4511), always reached through TLS.
package struct DirectoryServer: Hashable, Sendable {
    /// The start of TLS.
    package enum Security: Hashable, Sendable {
        /// TLS from the first octet, usually on port 636.
        case ldaps
        /// The StartTLS operation (RFC 4511 §4.14) before any other, usually on port 389.
        case startTLS
    }

    /// The DNS name or the IP address. The subjectAltName of the server's certificate must contain
    /// it. For `localhost` alone, libldap expects the host name of this machine instead.
    package var host: String
    /// The TCP port.
    package var port: Int
    package var security: Security
    /// A PEM file of authorities to trust instead of the system's.
    package var caFile: String?

    package init(host: String, port: Int, security: Security, caFile: String? = nil) {
        self.host = host
        self.port = port
        self.security = security
        self.caFile = caFile
    }

    /// The authorities that Debian trusts.
    static let systemCAFile = "/etc/ssl/certs/ca-certificates.crt"

    /// The URL for libldap, or nil if the host or the port is none.
    ///
    /// The scheme is `ldaps` for StartTLS too: nothing that libldap might do with this URL by
    /// itself would send a request without TLS.
    var url: String? {
        let isValid = self.host.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: ":"):
                true
            default:
                false
            }
        }
        guard isValid, (1...253).contains(self.host.utf8.count), (1...65_535).contains(self.port)
        else { return nil }
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return "ldaps://\(host):\(self.port)"
    }
}

extension DirectoryServer: CustomStringConvertible {
    /// `host:port`, for messages.
    package var description: String {
        let host = PeerText.printable(self.host.utf8)
        return host.contains(":") ? "[\(host)]:\(self.port)" : "\(host):\(self.port)"
    }
}
