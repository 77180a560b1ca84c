/// The address of an account's IMAP or SMTP server, and how TLS starts there.
package struct Endpoint: Hashable, Sendable, Codable {
    /// How a connection to the server gets TLS.
    package enum Security: String, Hashable, Sendable, Codable, CaseIterable {
        /// TLS starts with the connection (RFC 8314 §3).
        case implicit
        /// TLS starts after STARTTLS (RFC 9051 §6.2.1, RFC 3207).
        case starttls
        /// Without TLS; allowed on loopback only.
        case none
    }

    /// A DNS name or an IP address, in ASCII.
    package var host: String
    /// A TCP port, 1 to 65535.
    package var port: Int
    /// How TLS starts.
    package var tls: Security
    /// The path of a PEM file with certificates to trust instead of the system's.
    package var caFile: String?

    /// Creates an endpoint without checking it; ``StoreTransaction/check(_:)`` checks it before
    /// it is stored.
    package init(host: String, port: Int, tls: Security, caFile: String? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
        self.caFile = caFile
    }
}
