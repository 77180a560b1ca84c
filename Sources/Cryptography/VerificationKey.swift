import COpenSSL

/// A public key that verifies signatures.
package struct VerificationKey: Equatable, Sendable {
    /// The curve of an ECDSA key (RFC 7518 §6.2.1.1).
    package enum Curve: String, CaseIterable, Sendable {
        case p256 = "P-256"
        case p384 = "P-384"
        case p521 = "P-521"

        /// The length of a coordinate, and of each half of a signature, in octets.
        package var octetCount: Int {
            switch self {
            case .p256: 32
            case .p384: 48
            case .p521: 66
            }
        }

        /// The contents of the curve's object identifier (RFC 5480 §2.1.1.1).
        fileprivate var objectIdentifier: [UInt8] {
            switch self {
            case .p256: [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
            case .p384: [0x2B, 0x81, 0x04, 0x00, 0x22]
            case .p521: [0x2B, 0x81, 0x04, 0x00, 0x23]
            }
        }
    }

    /// The kind of a key.
    package enum Kind: Equatable, Sendable {
        case rsa
        case ellipticCurve(Curve)
        case ed25519
    }

    /// The kind of the key.
    package let kind: Kind
    /// The `SubjectPublicKeyInfo` in DER (RFC 5280 §4.1.2.7). Each verification parses it, so that no
    /// `EVP_PKEY` is shared between threads.
    let der: [UInt8]

    /// The sizes of an RSA modulus in bits. Shorter ones are weak (RFC 7518 §3.3); a verification
    /// with a longer one takes milliseconds.
    private static let modulusBits = 2_048...8_192
    /// The exponents of an RSA key: FIPS 186-5 §A.1.1 demands more than 2^16; the cost of a
    /// verification grows with the exponent.
    private static let exponents: ClosedRange<UInt64> = 65_537...0xFFFF_FFFF

    private init(kind: Kind, der: [UInt8]) throws(CryptographyError) {
        self.kind = kind
        self.der = der
        _ = try PublicKey(der: der)
    }

    /// An RSA key.
    /// - Parameters:
    ///   - modulus: the magnitude in big-endian octets; leading zeros do not matter.
    ///   - exponent: likewise.
    /// - Throws: `unusable` for a modulus that is even or not of 2048 to 8192 bits, and for an
    ///   exponent that is even or not of 65537 to 2^32 - 1.
    package init(
        rsaModulus modulus: [UInt8],
        exponent: [UInt8]
    ) throws(CryptographyError) {
        let modulus = Array(modulus.drop { $0 == 0 })
        let exponentOctets = exponent.drop { $0 == 0 }
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard Self.modulusBits.contains(bits), modulus.last.map({ $0 & 1 == 1 }) ?? false else {
            throw .unusable("the RSA modulus is even, or not of 2048 to 8192 bits")
        }
        let value =
            exponentOctets.count > 8
            ? 0 : exponentOctets.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard Self.exponents.contains(value), value & 1 == 1 else {
            throw .unusable("the RSA exponent is even, less than 65537 or longer than 32 bits")
        }
        // RFC 8017 §A.1: rsaEncryption has the parameters NULL.
        let algorithm = DERWriter.sequence(
            DERWriter.objectIdentifier([0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]),
            DERWriter.null
        )
        let key = DERWriter.sequence(
            DERWriter.integer(modulus),
            DERWriter.integer(exponentOctets)
        )
        try self.init(
            kind: .rsa,
            der: DERWriter.sequence(algorithm, DERWriter.bitString(key))
        )
    }

    /// An ECDSA key.
    /// - Parameters:
    ///   - x: the coordinate in all octets of its length (RFC 7518 §6.2.1.2).
    ///   - y: likewise.
    /// - Throws: `unusable` unless the point is on the curve.
    package init(curve: Curve, x: [UInt8], y: [UInt8]) throws(CryptographyError) {
        guard x.count == curve.octetCount, y.count == curve.octetCount else {
            throw .unusable("a coordinate has the wrong length")
        }
        // RFC 5480 §2.1.1: id-ecPublicKey with a named curve. SEC 1 §2.3.3: 4 marks an uncompressed
        // point.
        let algorithm = DERWriter.sequence(
            DERWriter.objectIdentifier([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]),
            DERWriter.objectIdentifier(curve.objectIdentifier)
        )
        try self.init(
            kind: .ellipticCurve(curve),
            der: DERWriter.sequence(algorithm, DERWriter.bitString([4] + x + y))
        )
    }

    /// An Ed25519 key (RFC 8032 §5.1.5).
    /// - Throws: `unusable` unless there are 32 octets.
    package init(ed25519 octets: [UInt8]) throws(CryptographyError) {
        guard octets.count == 32 else {
            throw .unusable("an Ed25519 key has 32 octets")
        }
        // RFC 8410 §3: the parameters are absent.
        let algorithm = DERWriter.sequence(DERWriter.objectIdentifier([0x2B, 0x65, 0x70]))
        try self.init(
            kind: .ed25519,
            der: DERWriter.sequence(algorithm, DERWriter.bitString(octets))
        )
    }
}

/// An `EVP_PKEY` without a private part, with one owner. It is not shared between threads.
final class PublicKey {
    let pointer: OpaquePointer

    /// - Throws: `unusable` unless the octets are one key that is valid: the point of a curve is on
    ///   it.
    init(der: [UInt8]) throws(CryptographyError) {
        let key = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var next = buffer.baseAddress
            guard let key = d2i_PUBKEY(nil, &next, buffer.count) else { return nil }
            guard next == buffer.baseAddress?.advanced(by: buffer.count) else {
                EVP_PKEY_free(key)
                return nil
            }
            return key
        }
        guard let key else {
            CryptographyError.clearQueue()
            throw .unusable("libcrypto cannot read the public key")
        }
        self.pointer = key
    }

    deinit {
        EVP_PKEY_free(self.pointer)
    }
}
