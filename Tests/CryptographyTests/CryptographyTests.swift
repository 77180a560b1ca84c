import Foundation
import Testing

@testable import Cryptography

/// Octets from hexadecimal digits.
private func octets(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal.filter { !$0.isWhitespace })
    return stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
}

struct SHA256Tests {
    /// FIPS 180-4 and its examples.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `a digest is the standard's, whatever pieces the octets come in`(
        text: String,
        digest: String
    ) {
        #expect(SHA256.digest(of: text.utf8) == octets(digest))
        for split in 0...text.utf8.count {
            var hash = SHA256()
            hash.update(text.utf8.prefix(split))
            hash.update(text.utf8.dropFirst(split))
            #expect(hash.digest == octets(digest))
        }
    }

    @Test func `a copy goes on by itself`() {
        var one = SHA256()
        one.update("a".utf8)
        var other = one
        other.update("x".utf8)
        one.update("bc".utf8)
        #expect(one.digest == SHA256.digest(of: "abc".utf8))
        #expect(other.digest == SHA256.digest(of: "ax".utf8))
        one.update("d".utf8)
        #expect(one.digest == SHA256.digest(of: "abcd".utf8), "a digest ends nothing")
    }
}

struct HMACSHA256Tests {
    private func key(_ hexadecimal: String) throws -> SymmetricKey {
        try #require(SymmetricKey(octets: octets(hexadecimal)))
    }

    /// Computed by Python's `hmac`, which is checked against RFC 4231 §4.
    @Test func `a code is the standard's, and good for its octets and key alone`() throws {
        let key = try self.key("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        let other = try self.key("010102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        let code = HMACSHA256.code(for: "what do ya want for nothing?".utf8, key: key)
        #expect(code == octets("099805f4ac310786968565c098db515cc50862b420ae31e20238312344bed36a"))
        #expect(HMACSHA256.isValid(code, for: "what do ya want for nothing?".utf8, key: key))
        #expect(!HMACSHA256.isValid(code, for: "what do ya want for nothing!".utf8, key: key))
        #expect(!HMACSHA256.isValid(code, for: "what do ya want for nothing?".utf8, key: other))
        #expect(
            !HMACSHA256.isValid(code.dropLast(), for: "what do ya want for nothing?".utf8, key: key)
        )
        #expect(!HMACSHA256.isValid([], for: "what do ya want for nothing?".utf8, key: key))
    }

    /// HKDF without a salt, as other implementations of RFC 5869 have it.
    @Test func `a derived key is the standard's, and depends on its purpose`() throws {
        let key = try self.key("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        let derived = HMACSHA256.derivedKey(from: key, purpose: "gatepost audit seal")
        #expect(
            derived.octets
                == octets("b9bb48748f7f15b232f387f37e7fc028f4e9b0e668dcf6354bf4b3361057a293")
        )
        #expect(HMACSHA256.derivedKey(from: key, purpose: "another").octets != derived.octets)
    }

    @Test func `a key has 32 octets, and shows none of them`() {
        #expect(SymmetricKey(octets: Array(repeating: 1, count: 31)) == nil)
        #expect(SymmetricKey(octets: Array(repeating: 1, count: 33)) == nil)
        let key = SymmetricKey()
        #expect("\(key)" == "SymmetricKey")
        #expect(String(reflecting: key) == "SymmetricKey")
        var dumped = ""
        dump(key, to: &dumped)
        #expect(dumped == "- SymmetricKey\n")
        #expect(key.base64EncodedString() == Data(key.octets).base64EncodedString())
        #expect(SymmetricKey().octets != SymmetricKey().octets)
    }
}

struct AESGCMTests {
    /// The 16th case of the paper that defines GCM, as this type puts its parts together.
    @Test func `a text that another implementation sealed is opened`() throws {
        let key = try #require(
            SymmetricKey(
                octets: octets("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
            )
        )
        let sealed = octets(
            """
            cafebabefacedbaddecaf888
            522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
            8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662
            76fc6ece0f4e1768cddf8853bb2d551b
            """
        )
        let purpose = octets("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        #expect(
            try AESGCM.open(sealed, key: key, purpose: purpose)
                == octets(
                    """
                    d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
                    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39
                    """
                )
        )
    }

    @Test(arguments: [0, 1, 15, 16, 17, 1_000])
    func `what was sealed is opened with the same key and purpose alone`(count: Int) throws {
        let (key, text) = (SymmetricKey(), Random.octets(count: count))
        let sealed = try AESGCM.seal(text, key: key, purpose: [1])
        #expect(sealed.count == 12 + count + 16)
        #expect(try AESGCM.open(sealed, key: key, purpose: [1]) == text)
        #expect(try AESGCM.seal(text, key: key, purpose: [1]) != sealed, "a nonce is used once")
        #expect(throws: CryptographyError.notAuthentic) {
            try AESGCM.open(sealed, key: SymmetricKey(), purpose: [1])
        }
        #expect(throws: CryptographyError.notAuthentic) {
            try AESGCM.open(sealed, key: key, purpose: [2])
        }
        #expect(throws: CryptographyError.notAuthentic) {
            try AESGCM.open(sealed, key: key, purpose: [])
        }
    }

    @Test func `a sealed text that was changed or cut anywhere is not opened`() throws {
        let key = SymmetricKey()
        let sealed = try AESGCM.seal(Array("password".utf8), key: key, purpose: [])
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 1
            #expect(throws: CryptographyError.notAuthentic) {
                try AESGCM.open(changed, key: key, purpose: [])
            }
            #expect(throws: CryptographyError.notAuthentic) {
                try AESGCM.open(Array(sealed.prefix(place)), key: key, purpose: [])
            }
        }
    }
}

struct ScryptTests {
    /// RFC 7914 §12.
    @Test func `a key is the standard's`() throws {
        let first = try Scrypt(rounds: 16, blockSize: 1, parallelism: 1)
            .key(from: [], salt: [], octetCount: 64)
        #expect(
            first
                == octets(
                    """
                    77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442
                    fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906
                    """
                )
        )
        let second = try Scrypt(rounds: 1_024, blockSize: 8, parallelism: 16)
            .key(from: Array("password".utf8), salt: Array("NaCl".utf8), octetCount: 64)
        #expect(
            second
                == octets(
                    """
                    fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162
                    2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
                    """
                )
        )
    }

    @Test(arguments: [
        Scrypt(rounds: 0, blockSize: 8, parallelism: 1),
        Scrypt(rounds: 3, blockSize: 8, parallelism: 1),
        Scrypt(rounds: 1_024, blockSize: 0, parallelism: 1),
        Scrypt(rounds: 1_024, blockSize: 8, parallelism: 0),
        Scrypt(rounds: 1_024, blockSize: 8, parallelism: 17),
        Scrypt(rounds: 1 << 16, blockSize: 1, parallelism: 1),
        Scrypt(rounds: 1 << 17, blockSize: 8, parallelism: 1),
        Scrypt(rounds: 1 << 63, blockSize: 8, parallelism: 16),
        Scrypt(rounds: 1 << 20, blockSize: 8, parallelism: 1),
        Scrypt(rounds: 1_024, blockSize: .max, parallelism: .max),
    ])
    func `parameters that scrypt does not have, or that need too much memory, are refused`(
        scrypt: Scrypt
    ) {
        #expect(!scrypt.isUsable)
        #expect(throws: CryptographyError.unusable("scrypt does not have these parameters")) {
            try scrypt.key(from: [1], salt: [2], octetCount: 32)
        }
    }

    /// The largest parameters below each limit: `unavailable` would show that libcrypto refuses them.
    @Test(arguments: [
        Scrypt(rounds: 1 << 15, blockSize: 1, parallelism: 1),
        Scrypt(rounds: 1 << 16, blockSize: 8, parallelism: 1),
        Scrypt(rounds: 1 << 16, blockSize: 15, parallelism: 16),
        Scrypt(rounds: 2, blockSize: 8, parallelism: 16),
    ])
    func `usable parameters derive a key`(scrypt: Scrypt) throws {
        #expect(scrypt.isUsable)
        #expect(try scrypt.key(from: [1], salt: [2], octetCount: 32).count == 32)
    }
}

struct CertificateTests {
    private static func openssl(_ arguments: [String], input: String) throws -> String {
        let process = Process()
        let (standardInput, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = output
        try process.run()
        standardInput.fileHandleForWriting.write(Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        return text
    }

    @Test func `a development certificate is for its names, and its authority has signed it`()
        throws
    {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("certificates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let issued = try DevelopmentAuthority(lifetime: 86_400).issue(
            authorityName: "An authority",
            names: ["localhost", "127.0.0.1", "::1", "mail.example, DNS:evil.example"]
        )
        let text = try Self.openssl(["x509", "-noout", "-text"], input: issued.certificate)
        #expect(text.contains("Issuer: CN = An authority"))
        #expect(text.contains("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"))
        #expect(text.contains("TLS Web Server Authentication"))
        #expect(text.contains("Version: 3"))
        let authority = try Self.openssl(["x509", "-noout", "-text"], input: issued.authority)
        #expect(authority.contains("CA:TRUE, pathlen:0"))
        #expect(authority.contains("Certificate Sign, CRL Sign"))
        let files = ["ca.pem", "server.pem"].map { folder.appendingPathComponent($0) }
        for (file, text) in zip(files, [issued.authority, issued.certificate]) {
            try Data(text.utf8).write(to: file)
        }
        let verdict = try Self.openssl(
            [
                "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.1",
                "-CAfile", files[0].path, files[1].path,
            ],
            input: ""
        )
        #expect(verdict.hasSuffix("server.pem: OK\n"), "\(verdict)")
        // A comma does not make two names of one.
        let evil = try Self.openssl(
            [
                "verify", "-verify_hostname", "evil.example", "-CAfile", files[0].path,
                files[1].path,
            ],
            input: ""
        )
        #expect(evil.contains("hostname mismatch"), "\(evil)")
        #expect(try Self.openssl(["pkey", "-noout", "-text"], input: issued.key).contains("P-256"))
    }

    @Test func `a certificate's end and its octets are read`() throws {
        let before = Int64(Date().timeIntervalSince1970)
        let issued = try DevelopmentAuthority(lifetime: 86_400).issue(
            authorityName: "An authority",
            names: ["localhost"]
        )
        let certificate = try Certificate(pem: "a note before it\n" + issued.certificate)
        let end = before + 86_400
        #expect((end...end + 60).contains(certificate.notAfter))
        #expect(certificate.der.starts(with: [0x30, 0x82]))
        let fingerprint = try Self.openssl(
            ["x509", "-noout", "-fingerprint", "-sha256"],
            input: issued.certificate
        )
        let digest = SHA256.digest(of: certificate.der)
        let expected = digest.map { String(format: "%02X", $0) }.joined(separator: ":")
        #expect(fingerprint.contains(expected))
    }

    @Test(arguments: [
        "", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ])
    func `what is no certificate, or no key, is refused`(text: String) {
        #expect(throws: CryptographyError.self) { try Certificate(pem: text) }
        #expect(throws: CryptographyError.self) { try RSASigningKey(pem: text) }
    }

    @Test func `a key that is no RSA key, or has a passphrase, does not sign`() throws {
        let issued = try DevelopmentAuthority(lifetime: 86_400).issue(
            authorityName: "An authority",
            names: ["localhost"]
        )
        #expect(throws: CryptographyError.unusable("not an RSA key")) {
            try RSASigningKey(pem: issued.key)
        }
        let locked = try Self.openssl(
            ["genpkey", "-algorithm", "RSA", "-aes256", "-pass", "pass:x", "-quiet"],
            input: ""
        )
        #expect(throws: CryptographyError.self) { try RSASigningKey(pem: locked) }
    }

    @Test func `a host name that no certificate can have is refused`() {
        #expect(throws: CryptographyError.self) {
            try DevelopmentAuthority(lifetime: 60).issue(
                authorityName: String(repeating: "x", count: 100),
                names: ["localhost"]
            )
        }
    }
}
