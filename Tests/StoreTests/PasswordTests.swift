import Foundation
import Store
import Testing

/// Password hashes.
@Suite struct PasswordTests {
    /// Changes one part of a valid hash at a time.
    @Test func `a hash with any changed part does not verify`() throws {
        let password = Array("geheim".utf8)
        let hash = try PasswordHash(password: password)
        #expect(hash.verify(password))
        let parts = hash.text.split(separator: "$").map(String.init)
        try #require(parts.count == 6)
        let salt = try #require(Data(base64Encoded: parts[4]))
        let key = try #require(Data(base64Encoded: parts[5]))
        #expect(salt.count == 16 && key.count == 32)
        var flipped = key
        flipped[flipped.startIndex + 31] ^= 1
        var otherSalt = salt
        otherSalt[otherSalt.startIndex] ^= 0x80
        let changed: [(Int, String)] = [
            (0, "bcrypt"), (0, ""), (1, "14"), (1, "9"), (1, "21"), (1, "x"), (1, "-1"), (2, "4"),
            (2, "0"), (2, "x"), (3, "2"), (3, "0"), (4, otherSalt.base64EncodedString()), (4, "!"),
            (4, ""), (5, flipped.base64EncodedString()), (5, key.dropLast().base64EncodedString()),
            (5, (key + [0]).base64EncodedString()), (5, ""), (5, "!"),
        ]
        for (index, value) in changed {
            var other = parts
            other[index] = value
            let text = other.joined(separator: "$")
            #expect(!PasswordHash(text: text).verify(password), "part \(index): \(value)")
        }
    }

    @Test(arguments: [
        "", "$", "scrypt", "scrypt$15$8$1", "$$$$$", "scrypt$15$8$1$AA==$AA==$", "plain",
        "scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA==",
        "scrypt$9999999999999999999$8$1$AA==$AA==", "scrypt$15$9999999999999999999$1$AA==$AA==",
    ])
    func `a malformed hash verifies no password`(text: String) {
        for password in ["", "geheim", text] {
            #expect(!PasswordHash(text: text).verify(Array(password.utf8)))
        }
    }

    @Test(arguments: [
        ("geheim", "geheim", true), ("geheim", "Geheim", false), ("geheim", "geheim\u{0}x", false),
        ("", "", true), ("", " ", false), ("Gr\u{FC}n", "Gru\u{308}n", false),
        ("\u{0}a", "\u{0}a", true), ("\u{0}a", "\u{0}b", false), ("\u{0}a", "", false),
    ])
    func `passwords are compared octet for octet`(
        password: String,
        tried: String,
        isRight: Bool
    ) throws {
        let hash = try PasswordHash(password: Array(password.utf8))
        #expect(hash.verify(Array(tried.utf8)) == isRight)
    }

    /// A block size of 8 allows 2^16 rounds within the limit of memory.
    @Test func `parameters beyond the limit of memory verify no password`() {
        for logarithm in [17, 20] {
            let text = "scrypt$\(logarithm)$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AA=="
            #expect(!PasswordHash(text: text).verify(Array("geheim".utf8)))
        }
    }

    @Test func `hashes are salted, and the dummy verifies no password`() throws {
        let password = Array("geheim".utf8)
        let (one, other) = (
            try PasswordHash(password: password), try PasswordHash(password: password)
        )
        #expect(one != other && one.verify(password) && other.verify(password))
        #expect(one.text.hasPrefix("scrypt$15$8$1$"))
        for tried in ["", "geheim", "\u{0}"] {
            #expect(!PasswordHash.dummy.verify(Array(tried.utf8)))
        }
        // The dummy has the parameters of a real hash, so it costs the same.
        #expect(PasswordHash.dummy.text.hasPrefix("scrypt$15$8$1$"))
    }

    @Test(arguments: [0, 1, 63, 64, 65, 128, 5_000])
    func `a shortened password has the hashes of the whole one`(count: Int) throws {
        let password = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let shortened = PasswordHash.shortened(password)
        #expect(shortened.count <= 64 && (shortened == password) == (count <= 64))
        let hash = try PasswordHash(password: password)
        #expect(hash.verify(shortened) && hash.verify(password))
        #expect(!hash.verify(PasswordHash.shortened(password + [1])))
    }
}
