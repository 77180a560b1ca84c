import Access
import Cryptography
import Foundation
import SASL
import Testing

@testable import Store

/// The key that seals credentials and the audit log.
@Suite struct MasterKeyTests {
    private static func upstream(_ sealed: Data?, id: Int64 = 1) -> UpstreamAccount {
        UpstreamAccount(
            id: AccountID(id),
            kind: .imap,
            address: "bob@kanzlei.example",
            imap: Endpoint(host: "mail.example", port: 993, tls: .implicit),
            username: "bob",
            sealedPassword: sealed,
            credentialVersion: 1
        )
    }

    private static func password(_ key: MasterKey, _ sealed: Data, id: Int64 = 1) throws -> String {
        guard
            case .password(let secret) = try key.credential(of: self.upstream(sealed, id: id)).proof
        else { return "(a token)" }
        return String(decoding: secret.value, as: UTF8.self)
    }

    @Test(arguments: ["geheim", "p w", "\"\\", "Gr\u{FC}n", String(repeating: "x", count: 4_000)])
    func `a password is sealed differently each time and opens again`(password: String) throws {
        let key = MasterKey()
        let (one, other) = (
            try key.seal(password, for: AccountID(1)), try key.seal(password, for: AccountID(1))
        )
        #expect(one != other)
        #expect(try Self.password(key, one) == password && Self.password(key, other) == password)
    }

    @Test func `a sealed password with any changed octet does not open`() throws {
        let key = MasterKey()
        let sealed = try key.seal("geheim", for: AccountID(1))
        for index in sealed.indices {
            for bit in [UInt8(1), 0x80] {
                var changed = sealed
                changed[index] ^= bit
                #expect(throws: StoreError.self, "octet \(index)") {
                    try Self.password(key, changed)
                }
            }
        }
        for count in 0..<sealed.count {
            #expect(throws: StoreError.self) { try Self.password(key, sealed.prefix(count)) }
        }
        #expect(throws: StoreError.self) { try Self.password(key, sealed + [0]) }
    }

    @Test func `only a credential that is not authentic says that the master key is wrong`() {
        let account = Self.upstream(Data())
        let other = MasterKey.refusal(.notAuthentic, of: account).description
        #expect(other.contains("was not sealed with this master key"))
        let missing = MasterKey.refusal(.unavailable, of: account).description
        #expect(missing.contains("OpenSSL lacks memory or AES-256-GCM"))
        #expect(!missing.contains("master key"))
    }

    @Test func `a credential opens only for its account and its key`() throws {
        let key = MasterKey()
        let sealed = try key.seal("geheim", for: AccountID(1))
        #expect(throws: StoreError.self) { try Self.password(key, sealed, id: 2) }
        #expect(throws: StoreError.self) { try Self.password(MasterKey(), sealed) }
        #expect(
            Office.refusal { try key.credential(of: Self.upstream(nil)) }?
                .contains("no credential for bob@kanzlei.example") == true
        )
    }

    @Test func `an authentication code is valid only for its key and octets`() throws {
        let key = MasterKey()
        let octets = Data("checkpoint 7".utf8)
        let mark = key.mark(octets)
        #expect(mark.count == 32 && key.isValid(mark, for: octets))
        #expect(!MasterKey().isValid(mark, for: octets))
        #expect(!key.isValid(mark, for: octets + [0]) && !key.isValid(mark.dropLast(), for: octets))
        #expect(!key.isValid(Data(), for: octets))
        for index in mark.indices {
            var changed = mark
            changed[index] ^= 1
            #expect(!key.isValid(changed, for: octets))
        }
    }

    private static func withFile(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("key-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test func `a key read from its file opens what it sealed`() throws {
        try Self.withFile { path in
            let key = MasterKey()
            try key.write(to: path)
            let sealed = try key.seal("geheim", for: AccountID(1))
            #expect(try Self.password(try MasterKey(file: path), sealed) == "geheim")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect((mode as? NSNumber)?.intValue == 0o600)
        }
    }

    /// The file's content, its mode, and a part of the refusal; nil for a valid key.
    static let files: [(String, Int, String?)] = [
        (Data(repeating: 7, count: 32).base64EncodedString(), 0o600, nil),
        (Data(repeating: 7, count: 32).base64EncodedString() + "\n", 0o400, nil),
        ("  \(Data(repeating: 7, count: 32).base64EncodedString())\n\n", 0o600, nil),
        (Data(repeating: 7, count: 32).base64EncodedString(), 0o640, "chmod 600"),
        (Data(repeating: 7, count: 32).base64EncodedString(), 0o604, "chmod 600"),
        (Data(repeating: 7, count: 32).base64EncodedString(), 0o601, "chmod 600"),
        (Data(repeating: 7, count: 31).base64EncodedString(), 0o600, "holds no master key"),
        (Data(repeating: 7, count: 33).base64EncodedString(), 0o600, "holds no master key"),
        ("", 0o600, "holds no master key"), ("not base64!", 0o600, "holds no master key"),
    ]

    @Test(arguments: files)
    func `a key file must hold 32 octets and be private to its owner`(
        text: String,
        mode: Int,
        says: String?
    ) throws {
        try Self.withFile { path in
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let refusal = Office.refusal { try MasterKey(file: path) }
            if let says {
                #expect(refusal?.contains(says) == true, "\(refusal ?? "taken")")
            } else {
                #expect(refusal == nil)
            }
        }
        #expect(
            Office.refusal { try MasterKey(file: "/nonexistent/key") }?
                .contains("no master key at /nonexistent/key") == true
        )
    }

    @Test func `the key of kept logins is another one for each master key, and for each use`() {
        let key = MasterKey()
        let octets = Array("x".utf8)
        let code = HMACSHA256.code(for: octets, key: key.keptLoginsKey)
        #expect(HMACSHA256.isValid(code, for: octets, key: key.keptLoginsKey))
        #expect(!HMACSHA256.isValid(code, for: octets, key: MasterKey().keptLoginsKey))
        #expect(!key.isValid(Data(code), for: Data(octets)))
    }
}
