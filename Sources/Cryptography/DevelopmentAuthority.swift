import COpenSSL

/// A certificate authority for development: it signs one server certificate, and its key is
/// dropped.
package struct DevelopmentAuthority {
    /// The contents of a certificate, and its signer.
    private struct Request {
        var commonName: String
        var key: PrivateKey
        /// The signing certificate and its key; nil for a self-signed certificate.
        var issuer: (certificate: OpaquePointer, key: PrivateKey)?
        /// Extensions by OpenSSL's NID, with values in OpenSSL's configuration syntax.
        var extensions: [(identifier: CInt, value: String)]
        /// DNS names and IP addresses for subjectAltName (RFC 5280 §4.2.1.6).
        var names: [String] = []
    }

    /// The result, in PEM: the authority's certificate, the server's certificate, the server's key.
    package struct Issued: Sendable {
        package let authority: String
        package let certificate: String
        package let key: String
    }

    /// The time by which the validity starts in the past, in seconds: clocks may differ.
    private static let backdating = 3_600
    /// The random octets of a serial number.
    private static let serialOctets = 19

    /// The validity of both certificates, in seconds.
    private let lifetime: Int

    /// - Parameter lifetime: the validity of both certificates, in seconds.
    package init(lifetime: Int) {
        self.lifetime = lifetime
    }

    /// Creates an authority and a server certificate that it signs.
    ///
    /// - Parameters:
    ///   - authorityName: the authority's common name.
    ///   - names: DNS names and IP addresses for the server certificate.
    /// - Throws: `unusable` if a certificate cannot contain a name.
    package func issue(
        authorityName: String,
        names: [String]
    ) throws(CryptographyError) -> Issued {
        let authorityKey = try PrivateKey.p256()
        let authority = try self.certificate(
            Request(
                commonName: authorityName,
                key: authorityKey,
                issuer: nil,
                extensions: [
                    (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                    (NID_key_usage, "critical,keyCertSign,cRLSign"),
                    (NID_subject_key_identifier, "hash"),
                ]
            )
        )
        defer { X509_free(authority) }
        let key = try PrivateKey.p256()
        let server = try self.certificate(
            Request(
                commonName: names.first ?? "localhost",
                key: key,
                issuer: (authority, authorityKey),
                extensions: [
                    (NID_basic_constraints, "critical,CA:FALSE"),
                    (NID_key_usage, "critical,digitalSignature"),
                    (NID_ext_key_usage, "serverAuth"),
                    (NID_subject_key_identifier, "hash"),
                    (NID_authority_key_identifier, "keyid"),
                ],
                names: names
            )
        )
        defer { X509_free(server) }
        return Issued(
            authority: try Self.pem(of: authority),
            certificate: try Self.pem(of: server),
            key: try key.pem()
        )
    }

    // MARK: - One certificate

    /// Creates and signs one certificate; the caller frees it.
    private func certificate(_ request: Request) throws(CryptographyError) -> OpaquePointer {
        guard let certificate = X509_new() else { throw .unavailable }
        do {
            try self.fill(certificate, for: request)
            return certificate
        } catch {
            X509_free(certificate)
            CryptographyError.clearQueue()
            throw error
        }
    }

    /// Sets the fields of a certificate and signs it.
    private func fill(
        _ certificate: OpaquePointer,
        for request: Request
    ) throws(CryptographyError) {
        let name = Array(request.commonName.utf8)
        // A positive number of at most 20 octets (RFC 5280 §4.1.2.2).
        let serial = [1] + Random.octets(count: Self.serialOctets)
        let subject = X509_get_subject_name(certificate)
        guard X509_set_version(certificate, Int(X509_VERSION_3)) == 1,
            let number = BN_bin2bn(serial, CInt(serial.count), nil)
        else { throw .unavailable }
        defer { BN_free(number) }
        let issuer = request.issuer.map { X509_get_subject_name($0.certificate) } ?? subject
        guard BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil,
            X509_gmtime_adj(X509_getm_notBefore(certificate), -Self.backdating) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate), self.lifetime) != nil,
            X509_set_pubkey(certificate, request.key.pointer) == 1
        else { throw .unavailable }
        guard
            X509_NAME_add_entry_by_NID(
                subject,
                NID_commonName,
                MBSTRING_UTF8,
                name,
                CInt(name.count),
                -1,
                0
            ) == 1
        else { throw .unusable("no certificate can have the name \(request.commonName)") }
        guard X509_set_issuer_name(certificate, issuer) == 1 else { throw .unavailable }
        for (identifier, value) in request.extensions {
            try Self.add(
                identifier,
                value: value,
                to: certificate,
                issuer: request.issuer?.certificate ?? certificate
            )
        }
        if !request.names.isEmpty { try Self.add(request.names, to: certificate) }
        let key = request.issuer?.key ?? request.key
        guard X509_sign(certificate, key.pointer, EVP_sha256()) > 0 else { throw .unavailable }
    }

    /// Adds an extension from OpenSSL's configuration syntax.
    private static func add(
        _ identifier: CInt,
        value: String,
        to certificate: OpaquePointer,
        issuer: OpaquePointer
    ) throws(CryptographyError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
        guard let element = X509V3_EXT_conf_nid(nil, &context, identifier, value) else {
            throw .unavailable
        }
        defer { X509_EXTENSION_free(element) }
        guard X509_add_ext(certificate, element, -1) == 1 else { throw .unavailable }
    }

    /// Adds subjectAltName from separate elements: a list as one text could turn a name into
    /// several.
    private static func add(
        _ names: [String],
        to certificate: OpaquePointer
    ) throws(CryptographyError) {
        guard let list = gp_sk_GENERAL_NAME_new() else { throw .unavailable }
        defer {
            gp_GENERAL_NAMES_free(list)
            // A host name leaves the errors of its reading as an address.
            CryptographyError.clearQueue()
        }
        for name in names {
            // OpenSSL rejects a text that is no address; the text is a host name then.
            guard
                let element = a2i_GENERAL_NAME(nil, nil, nil, GEN_IPADD, name, 0)
                    ?? a2i_GENERAL_NAME(nil, nil, nil, GEN_DNS, name, 0)
            else { throw .unusable("no certificate can be for \(name)") }
            guard gp_sk_GENERAL_NAME_push(list, element) > 0 else {
                GENERAL_NAME_free(element)
                throw .unavailable
            }
        }
        guard
            X509_add1_ext_i2d(
                certificate,
                NID_subject_alt_name,
                UnsafeMutableRawPointer(list),
                0,
                UInt(X509V3_ADD_DEFAULT)
            ) == 1
        else { throw .unavailable }
    }

    private static func pem(of certificate: OpaquePointer) throws(CryptographyError) -> String {
        let text = try MemoryBIO()
        guard PEM_write_bio_X509(text.pointer, certificate) == 1 else {
            CryptographyError.clearQueue()
            throw .unavailable
        }
        return text.text
    }
}
