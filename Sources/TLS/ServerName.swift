import COpenSSL

/// The name that a server's certificate must have: a host name or an IP address.
struct ServerName: Sendable {
    /// The host name without a final dot, or the address.
    let text: String

    /// The longest host name: 255 octets on the wire (RFC 1035 §2.3.4), 253 as text.
    private static let maximumOctets = 253
    /// The longest label (RFC 1035 §2.3.4).
    private static let maximumLabelOctets = 63

    /// Accepts labels of letters, digits, hyphens and underscores.
    ///
    /// No label may be empty. OpenSSL reads a name that begins with a dot as "any host below",
    /// which would accept another host's certificate.
    /// - Throws: `unusableName`.
    init(_ name: String) throws(TLSError) {
        guard !Self.isAddress(name) else {
            self.text = name
            return
        }
        var octets = Array(name.utf8)
        if octets.last == UInt8(ascii: ".") { octets.removeLast() }
        let labels = octets.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard octets.count <= Self.maximumOctets, labels.allSatisfy(Self.isLabel) else {
            throw .unusableName
        }
        self.text = String(decoding: octets, as: UTF8.self)
    }

    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        (1...Self.maximumLabelOctets).contains(label.count)
            && label.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default:
                    false
                }
            }
    }

    /// Whether OpenSSL parses the name as an IP address. SNI cannot contain one (RFC 6066 §3).
    private static func isAddress(_ name: String) -> Bool {
        guard !name.utf8.contains(0), let address = a2i_IPADDRESS(name) else { return false }
        ASN1_OCTET_STRING_free(address)
        return true
    }

    /// Sets the name that a connection sends (SNI) and verifies.
    ///
    /// Only names of subjectAltName count, and a wildcard only as a whole leftmost label
    /// (RFC 7817 §3, RFC 6125 §6.4).
    /// - Throws: `unusableName`, `outOfMemory`.
    func expect(on ssl: OpaquePointer) throws(TLSError) {
        guard let parameters = SSL_get0_param(ssl) else { throw .outOfMemory }
        if Self.isAddress(self.text) {
            guard X509_VERIFY_PARAM_set1_ip_asc(parameters, self.text) == 1 else {
                throw .unusableName
            }
            return
        }
        X509_VERIFY_PARAM_set_hostflags(
            parameters,
            UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
                | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
        )
        guard X509_VERIFY_PARAM_set1_host(parameters, self.text, self.text.utf8.count) == 1,
            gp_SSL_set_tlsext_host_name(ssl, self.text) == 1
        else { throw .unusableName }
    }
}
