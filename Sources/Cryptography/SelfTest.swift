import COpenSSL

/// The algorithms of a known-answer test that failed.
package struct SelfTestFailure: Error, Equatable, Sendable {
    /// The names of the algorithms, such as `scrypt`.
    package let algorithms: [String]
}

/// Computes a known answer with each algorithm that protects stored keys and passwords.
///
/// OpenSSL's configuration and its FIPS mode decide which algorithms libcrypto offers. Without this
/// test, a missing algorithm looks like a wrong password or a wrong key, or ends the process.
/// - Throws: ``SelfTestFailure`` with each algorithm that is missing or computes another answer.
package func selfTest() throws(SelfTestFailure) {
    let tests: [(algorithm: String, passes: () -> Bool)] = [
        ("SHA-256", passesSHA256), ("HMAC-SHA-256", passesHMAC),
        ("AES-256-GCM", passesAESGCM), ("scrypt", passesScrypt),
    ]
    let failed = tests.filter { !$0.passes() }.map(\.algorithm)
    CryptographyError.clearQueue()
    guard failed.isEmpty else { throw SelfTestFailure(algorithms: failed) }
}

/// FIPS 180-4, the example `abc`. It does not use ``SHA256``, which traps without the algorithm.
private func passesSHA256() -> Bool {
    var digest = [UInt8](repeating: 0, count: SHA256.octetCount)
    return EVP_Digest("abc", 3, &digest, nil, EVP_sha256(), nil) == 1
        && digest.starts(with: [0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA])
}

/// RFC 4231 §4.3. It does not use ``HMACSHA256``, which traps without the algorithm.
private func passesHMAC() -> Bool {
    let text = Array("what do ya want for nothing?".utf8)
    var code = [UInt8](repeating: 0, count: SHA256.octetCount)
    return HMAC(EVP_sha256(), "Jefe", 4, text, text.count, &code, nil) != nil
        && code.starts(with: [0x5B, 0xDC, 0xC1, 0x46, 0xBF, 0x60, 0x75, 0x4E])
}

/// Opens the sealed text of test case 14 of the paper that defines GCM, and a text that it seals.
private func passesAESGCM() -> Bool {
    guard let key = SymmetricKey(octets: [UInt8](repeating: 0, count: SymmetricKey.octetCount))
    else { return false }
    let block = [UInt8](repeating: 0, count: 16)
    let sealed: [UInt8] =
        [UInt8](repeating: 0, count: 12) + [
            0xCE, 0xA7, 0x40, 0x3D, 0x4D, 0x60, 0x6B, 0x6E,
            0x07, 0x4E, 0xC5, 0xD3, 0xBA, 0xF3, 0x9D, 0x18,
            0xD0, 0xD1, 0xC8, 0xA7, 0x99, 0x99, 0x6B, 0xF0,
            0x26, 0x5B, 0x98, 0xB5, 0xD4, 0x8A, 0xB9, 0x19,
        ]
    do throws(CryptographyError) {
        let own = try AESGCM.seal(block, key: key, purpose: [1])
        let opened = try AESGCM.open(own, key: key, purpose: [1])
        let known = try AESGCM.open(sealed, key: key, purpose: [])
        return opened == block && known == block
    } catch {
        return false
    }
}

/// RFC 7914 §12, the first vector.
private func passesScrypt() -> Bool {
    do throws(CryptographyError) {
        return try Scrypt(rounds: 16, blockSize: 1, parallelism: 1)
            .key(from: [], salt: [], octetCount: 64)
            .starts(with: [0x77, 0xD6, 0x57, 0x62, 0x38, 0x65, 0x7B, 0x20])
    } catch {
        return false
    }
}
