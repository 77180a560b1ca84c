/// How an account's server is reached.
package struct Endpoint: Hashable, Sendable, Codable {
    package enum Security: String, Hashable, Sendable, Codable, CaseIterable {
        case implicit
        case starttls
        /// Without TLS; on loopback only.
        case none
    }

    package var host: String
    package var port: Int
    package var tls: Security
    /// Certificates to trust instead of the system's, as a PEM file.
    package var caFile: String?

    package init(host: String, port: Int, tls: Security, caFile: String? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
        self.caFile = caFile
    }
}
