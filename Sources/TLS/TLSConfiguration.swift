/// A server certificate and its key, as paths of PEM files.
package struct TLSCertificateFiles: Equatable, Sendable {
    /// The file with the certificate and its chain.
    package var certificate: String
    /// The file with the private key, unencrypted.
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// The TLS settings of a listener.
package struct TLSServerConfiguration: Equatable, Sendable {
    /// The certificates. The first one is used for clients without a server name, or an unknown
    /// one.
    package var certificates: [TLSCertificateFiles]
    /// The ALPN protocols. A client that offers only others is refused.
    package var alpn: [String]
    /// The session ID context: a session is resumed only under the same one.
    package var sessionContext: String

    package init(certificates: [TLSCertificateFiles], alpn: [String], sessionContext: String) {
        self.certificates = certificates
        self.alpn = alpn
        self.sessionContext = sessionContext
    }
}

/// The TLS settings for connections to servers. Verification cannot be disabled.
package struct TLSClientConfiguration: Equatable, Sendable {
    /// A PEM file of authorities to trust instead of the system's; nil for the system's.
    package var caFile: String?
    /// The ALPN protocols to offer.
    package var alpn: [String]

    package init(caFile: String?, alpn: [String]) {
        self.caFile = caFile
        self.alpn = alpn
    }
}
