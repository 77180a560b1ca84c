import Cryptography
import Testing

@testable import OAuth

struct VerificationKeyTests {
    /// The payload of RFC 7515 appendix A.2 and A.3.
    private static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        + "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

    private func octets(_ text: String) throws -> [UInt8] {
        try #require(Base64URL.decode(Array(text.utf8)))
    }

    private func expectOnly(
        _ algorithm: SignatureAlgorithm,
        key: VerificationKey,
        signed: String,
        signature: String
    ) throws {
        let (octets, signature) = (Array(signed.utf8), try self.octets(signature))
        for other in SignatureAlgorithm.allCases {
            let isValid = try key.isValid(signature, of: octets, algorithm: other)
            #expect(isValid == (other == algorithm), "\(other)")
        }
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(try !key.isValid(changed, of: octets, algorithm: algorithm))
        }
        #expect(try !key.isValid(signature, of: octets + [0], algorithm: algorithm))
        #expect(try !key.isValid(signature + [0], of: octets, algorithm: algorithm))
        #expect(try !key.isValid([0] + signature, of: octets, algorithm: algorithm))
        #expect(try !key.isValid(signature.dropLast(), of: octets, algorithm: algorithm))
        #expect(try !key.isValid([], of: octets, algorithm: algorithm))
    }

    @Test func `RS256 is that of RFC 7515 appendix A.2`() throws {
        let modulus =
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp"
            + "-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW"
            + "vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs"
            + "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k"
            + "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2"
            + "PAcDTW9gb54h4FRWyuXpoQ"
        let signature =
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
            + "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
            + "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
            + "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
            + "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
            + "p0igcN_IoypGlUPQGe77Rw"
        try self.expectOnly(
            .rs256,
            key: VerificationKey(
                rsaModulus: self.octets(modulus),
                exponent: self.octets("AQAB")
            ),
            signed: "eyJhbGciOiJSUzI1NiJ9." + Self.payload,
            signature: signature
        )
    }

    @Test func `ES256 is that of RFC 7515 appendix A.3`() throws {
        try self.expectOnly(
            .es256,
            key: VerificationKey(
                curve: .p256,
                x: self.octets("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                y: self.octets("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
            ),
            signed: "eyJhbGciOiJFUzI1NiJ9." + Self.payload,
            signature: "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
                + "pmWQxfKTUJqPP3-Kg6NU1Q"
        )
    }

    @Test func `Ed25519 is that of RFC 8037 appendix A.4`() throws {
        try self.expectOnly(
            .edDSA,
            key: VerificationKey(
                ed25519: self.octets("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
            ),
            signed: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            signature: "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
                + "hVsPt9g7sVvpAr_MuM0KAg"
        )
    }

    @Test func `an RSA key needs 2048 to 8192 bits and a usual exponent`() throws {
        func isUsable(bits: Int, exponent: [UInt8] = [1, 0, 1], last: UInt8 = 1) -> Bool {
            var modulus = [UInt8](repeating: 0xA5, count: (bits + 7) / 8)
            modulus[0] = 1 << UInt8((bits - 1) % 8)
            modulus[modulus.count - 1] = last
            return (try? VerificationKey(rsaModulus: modulus, exponent: exponent)) != nil
        }
        let rows: [(Bool, Bool)] = [
            (isUsable(bits: 2_048), true), (isUsable(bits: 2_047), false),
            (isUsable(bits: 1_024), false), (isUsable(bits: 8_192), true),
            (isUsable(bits: 8_193), false), (isUsable(bits: 2_048, last: 2), false),
            (isUsable(bits: 2_048, exponent: []), false),
            (isUsable(bits: 2_048, exponent: [1]), false),
            (isUsable(bits: 2_048, exponent: [3]), false),
            (isUsable(bits: 2_048, exponent: [1, 0, 0]), false),
            (isUsable(bits: 2_048, exponent: [0, 0, 1, 0, 1]), true),
            (isUsable(bits: 2_048, exponent: [0xFF, 0xFF, 0xFF, 0xFF]), true),
            (isUsable(bits: 2_048, exponent: [1, 0, 0, 0, 1]), false),
            (isUsable(bits: 2_048, exponent: [UInt8](repeating: 1, count: 40)), false),
        ]
        for (index, row) in rows.enumerated() { #expect(row.0 == row.1, "row \(index)") }
        #expect(throws: CryptographyError.self) {
            try VerificationKey(rsaModulus: [], exponent: [1, 0, 1])
        }
    }

    @Test(arguments: VerificationKey.Curve.allCases)
    func `a point must be on its curve`(curve: VerificationKey.Curve) throws {
        let members = try SigningKey(curve: curve).members()
        let x = try self.octets(members["x"] ?? "")
        let y = try self.octets(members["y"] ?? "")
        _ = try VerificationKey(curve: curve, x: x, y: y)
        var other = y
        other[other.count - 1] ^= 1
        let zero = [UInt8](repeating: 0, count: curve.octetCount)
        let large = [UInt8](repeating: 0xFF, count: curve.octetCount)
        let pairs = [
            (x, other), (zero, zero), (large, large), (x, [0] + y), (x, Array(y.dropLast())),
            ([], []),
        ]
        for (x, y) in pairs {
            #expect(throws: CryptographyError.self) {
                try VerificationKey(curve: curve, x: x, y: y)
            }
        }
    }

    @Test func `an Ed25519 key has 32 octets`() {
        for count in [0, 31, 33, 64] {
            #expect(throws: CryptographyError.self) {
                try VerificationKey(ed25519: [UInt8](repeating: 1, count: count))
            }
        }
    }
}
