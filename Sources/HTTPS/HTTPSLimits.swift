/// The limits of one request.
package struct HTTPSLimits: Sendable {
    /// The time for the connection and the TLS handshake, in seconds.
    package var connectSeconds: Int
    /// The time for the whole request and response, in seconds.
    package var totalSeconds: Int
    /// The most octets of a response body: a hostile server could fill the memory without it.
    package var bodyOctets: Int

    package init(connectSeconds: Int, totalSeconds: Int, bodyOctets: Int) {
        self.connectSeconds = connectSeconds
        self.totalSeconds = totalSeconds
        self.bodyOctets = bodyOctets
    }
}
