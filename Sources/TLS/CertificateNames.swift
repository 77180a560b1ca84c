import COpenSSL

/// The DNS names of a certificate's subjectAltName, in lower case, including wildcards
/// (`*.kanzlei.example`).
struct CertificateNames: Sendable {
    private let names: Set<[UInt8]>

    /// Reads the names of the context's certificate.
    init(of context: SSLContext) {
        guard let certificate = SSL_CTX_get0_certificate(context.pointer),
            let list = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil)
        else {
            self.names = []
            return
        }
        let names = OpaquePointer(list)
        defer { GENERAL_NAMES_free(names) }
        var found: Set<[UInt8]> = []
        for index in 0..<max(0, gp_sk_GENERAL_NAME_num(names)) {
            var length: CInt = 0
            guard let name = gp_sk_GENERAL_NAME_value(names, index),
                let octets = gp_GENERAL_NAME_dns(name, &length)
            else { continue }
            let buffer = UnsafeBufferPointer(start: octets, count: Int(max(0, length)))
            found.insert(Self.normalized(Array(buffer)))
        }
        self.names = found
    }

    /// A host name with ASCII letters in lower case. Other letters arrive as A-labels (RFC 5890).
    static func normalized(_ name: [UInt8]) -> [UInt8] {
        name.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }

    /// - Parameter name: a normalized name.
    func hasExactly(_ name: [UInt8]) -> Bool {
        self.names.contains(name)
    }

    /// Whether a wildcard matches a normalized name: `*` stands for exactly the first label
    /// (RFC 6125 §6.4.3).
    func hasWildcard(for name: [UInt8]) -> Bool {
        guard let dot = name.firstIndex(of: UInt8(ascii: ".")), dot > name.startIndex else {
            return false
        }
        return self.names.contains([UInt8(ascii: "*")] + name[dot...])
    }
}
