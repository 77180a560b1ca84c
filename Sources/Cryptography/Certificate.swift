import COpenSSL

/// An X.509 certificate (RFC 5280).
package struct Certificate: Equatable, Sendable {
    /// The end of its validity (`notAfter`), in seconds since 1970.
    package let notAfter: Int64
    /// The DER encoding.
    package let der: [UInt8]

    /// Parses the first certificate of a PEM text.
    /// - Throws: `unusable` if there is none.
    package init(pem: String) throws(CryptographyError) {
        let text = try MemoryBIO(pem)
        guard let pointer = PEM_read_bio_X509(text.pointer, nil, nil, nil) else {
            CryptographyError.clearQueue()
            throw .unusable("not a certificate in PEM")
        }
        defer { X509_free(pointer) }
        var time = tm()
        guard ASN1_TIME_to_tm(X509_get0_notAfter(pointer), &time) == 1 else {
            CryptographyError.clearQueue()
            throw .unusable("a certificate without an end")
        }
        self.notAfter = Int64(timegm(&time))
        self.der = try Self.der(of: pointer)
    }

    private static func der(of certificate: OpaquePointer) throws(CryptographyError) -> [UInt8] {
        var octets: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(certificate, &octets)
        guard count > 0, let octets else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
        defer { gp_OPENSSL_free(octets) }
        return Array(UnsafeBufferPointer(start: octets, count: Int(count)))
    }
}
