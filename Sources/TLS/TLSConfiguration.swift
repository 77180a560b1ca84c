/// One certificate of a server, as PEM files.
package struct TLSCertificateFiles: Equatable, Sendable {
    /// The certificate and its chain.
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// What a listener shows to its clients.
package struct TLSServerConfiguration: Equatable, Sendable {
    /// The first is shown to clients that name no host, or an unknown one.
    package var certificates: [TLSCertificateFiles]
    /// Protocols for ALPN; a client that offers others is refused.
    package var alpn: [String]
    /// Sessions are resumed only under the same name.
    package var sessionContext: String

    package init(certificates: [TLSCertificateFiles], alpn: [String], sessionContext: String) {
        self.certificates = certificates
        self.alpn = alpn
        self.sessionContext = sessionContext
    }
}

/// How a server is trusted. There is no way not to verify one.
package struct TLSClientConfiguration: Equatable, Sendable {
    /// Certificates to trust instead of the system's, as a PEM file.
    package var caFile: String?
    package var alpn: [String]

    package init(caFile: String?, alpn: [String]) {
        self.caFile = caFile
        self.alpn = alpn
    }
}
