import Cryptography

/// The three parts of a token in the compact form, decoded and not yet verified (RFC 7515 §7.1).
///
///     BASE64URL(header) "." BASE64URL(payload) "." BASE64URL(signature)
struct CompactJWS {
    /// The members of the header.
    let header: JSONObject
    /// The claims of the payload (RFC 7519 §4). They mean nothing until the signature is verified.
    let claims: JSONObject
    /// The octets that the signature is for.
    let signedOctets: [UInt8]
    let signature: [UInt8]

    /// - Returns: nil unless the token has three parts in canonical base64url, and the first two are
    ///   JSON objects. A token in five parts is encrypted (RFC 7516) and has no payload to read.
    init?(_ token: [UInt8]) {
        let parts = token.split(
            separator: UInt8(ascii: "."),
            maxSplits: 3,
            omittingEmptySubsequences: false
        )
        guard parts.count == 3, let header = Base64URL.decode(parts[0]),
            let payload = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2])
        else { return nil }
        do throws(MalformedJSON) {
            self.header = try JSONParser.object(in: header)
            self.claims = try JSONParser.object(in: payload)
        } catch {
            return nil
        }
        self.signedOctets = Array(token[..<parts[1].endIndex])
        self.signature = signature
    }
}

/// The members of a header that the verification uses.
///
/// `jku`, `jwk`, `x5u`, `x5c` and all others are ignored: the token must not say where its key is.
struct JWSHeader: Equatable {
    /// The signature algorithm. It is not yet compared with the configuration.
    let algorithm: SignatureAlgorithm
    /// The name of one of the issuer's keys; nil if the token leaves that open.
    let keyID: ExactText?

    /// - Throws: `criticalHeader`, `algorithm` for `none`, `HS…` and unknown algorithms, `type`, and
    ///   `malformed` for a `kid` that is not a string.
    init(_ header: JSONObject) throws(TokenRefusal) {
        // RFC 7515 §4.1.11: the reader must understand each extension. There is none to understand.
        guard header["crit"] == nil else { throw .criticalHeader }
        guard
            let algorithm = (header["alg"]?.string).flatMap({ name in
                SignatureAlgorithm.allCases.first { ExactText($0.rawValue) == name }
            })
        else { throw .algorithm }
        guard Self.isType(header["typ"]) else { throw .type }
        self.algorithm = algorithm
        switch header["kid"] {
        case nil: self.keyID = nil
        case .string(let name): self.keyID = name
        case .null, .bool, .number, .array, .object: throw .malformed
        }
    }

    /// Whether `typ` is missing, `JWT` (RFC 7519 §5.1) or `at+jwt` (RFC 9068 §2.1): other types, such
    /// as `logout+jwt`, have the same signature and another meaning (RFC 8725 §3.11).
    private static func isType(_ type: JSONValue?) -> Bool {
        guard let type else { return true }
        guard let name = type.string?.text.utf8.map({ (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 })
        else { return false }
        let types = ["jwt", "at+jwt"].flatMap { [$0, "application/" + $0] }
        return types.contains { name.elementsEqual($0.utf8) }
    }
}
