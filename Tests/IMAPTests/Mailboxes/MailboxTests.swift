import Foundation
import IMAP
import NIOCore
import Support
import Testing

@Suite struct MailboxTests {
    static let names: [(String, String?)] = [
        ("INBOX", "INBOX"), ("inbox", "INBOX"), ("iNbOx/Alt", "INBOX/Alt"), ("inboxes", "inboxes"),
        ("Akten", "Akten"), ("Caf&AOk-", "Caf\u{E9}"), ("Cafe&AwE-", "Cafe\u{301}"),
        ("Akten &- Gerichte", "Akten & Gerichte"), ("&ANw-bersicht", "\u{DC}bersicht"),
        ("&ATE-nbox", "\u{131}nbox"), ("~peter/&ZeVnLIqe-/&U,BTFw-", "~peter/日本語/台北"),
        ("&2D3eCg-", "\u{1F60A}"),
        // Not canonical: a second spelling of a name.
        ("&", nil), ("&Jjo", nil), ("&Jjo!", nil), ("&ZeU-&Zyw-", nil), ("&ZeV-", nil),
        ("&2AA-", nil), ("&ACY-", nil), ("&*-", nil), ("&,,,-", nil), ("a&-b&", nil),
        ("carol&AC8-INBOX", nil), ("&AE8AdABoAGUAcg-", nil), ("INBOX&AC4-Private", nil),
        ("&AA0ACg-X9 NOOP", nil), ("a&AAA-", nil), ("&ICg-", nil), ("&AIU-", nil), ("", nil),
    ]

    @Test(arguments: names)
    func `a name is decoded only if its spelling is canonical`(wire: String, decoded: String?) {
        let mailbox = ClientMailbox(wire: ByteBuffer(string: wire))
        #expect(mailbox.name?.octets == decoded.map { Array($0.utf8) })
    }

    @Test func `no printable character has a second spelling in modified UTF-7`() {
        for octet in UInt8(0x20)...0x7E {
            let unit: [UInt8] = [0, octet]
            let base64 = Data(unit).base64EncodedString().replacingOccurrences(of: "=", with: "")
            #expect(ModifiedUTF7.decode(Array("x&\(base64)-".utf8)) == nil)
        }
    }

    @Test func `names with the same appearance are different names`() {
        let pairs = [("Caf&AOk-", "Cafe&AwE-"), ("a;b", "a&A34-b"), ("Akten", "akten")]
        for (one, other) in pairs {
            let first = ClientMailbox(wire: ByteBuffer(string: one)).name
            let second = ClientMailbox(wire: ByteBuffer(string: other)).name
            #expect(first != nil && second != nil && first != second)
        }
    }

    @Test func `every string is decoded from its encoding in modified UTF-7`() {
        var generator = Seeded(state: 3)
        let alphabet: [Unicode.Scalar] = ["a", "&", "-", "/", "\u{FC}", "\u{1F60A}", "日", " ", "~"]
        for _ in 0..<20_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...8, using: &generator) {
                text.append(alphabet.randomElement(using: &generator) ?? "a")
            }
            let octets = Array(String(text).utf8)
            #expect(ModifiedUTF7.decode(ModifiedUTF7.encode(octets)) == octets)
        }
    }

    static let patterns: [(String, String, Bool)] = [
        ("*", "a/b/c", true), ("%", "a", true), ("%", "a/b", false), ("%/%", "a/b", true),
        ("a*", "a/b", true), ("a%", "ab", true), ("a%", "a/b", false), ("*b", "a/b", true),
        ("inbox", "INBOX", true), ("INBOX/%", "INBOX/x", true), ("a", "a", true), ("a", "b", false),
        ("", "a", false), ("a/%", "a/b/c", false), ("a/*", "a", false), ("*%*", "x/y", true),
        ("%a%", "banana", true), ("%a%", "ba/na", false),
    ]

    @Test(arguments: patterns)
    func `a pattern matches a name by its wildcards`(pattern: String, name: String, matches: Bool) {
        #expect(MailboxPattern(Array(pattern.utf8)).matches(Array(name.utf8)) == matches)
    }

    /// The definition of the RFC, literally: slow but obviously correct.
    private static func naive(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        guard let wanted = pattern.first else { return name.isEmpty }
        let rest = pattern.dropFirst()
        guard wanted == UInt8(ascii: "*") || wanted == UInt8(ascii: "%") else {
            return name.first == wanted && self.naive(rest, name.dropFirst())
        }
        if self.naive(rest, name) { return true }
        guard let octet = name.first else { return false }
        if wanted == UInt8(ascii: "%"), octet == UInt8(ascii: "/") { return false }
        return self.naive(pattern, name.dropFirst())
    }

    @Test func `a pattern matches as its definition in the RFC does`() {
        var generator = Seeded(state: 11)
        func random(_ alphabet: String) -> [UInt8] {
            let octets = Array(alphabet.utf8)
            return (0..<Int.random(in: 0...7, using: &generator)).map { _ in
                octets.randomElement(using: &generator) ?? 0
            }
        }
        for round in 0..<20_000 {
            // Long patterns too, so that the bit masks have several words.
            let long = round % 4 == 0 ? [UInt8](repeating: 0x61, count: round / 4 % 8 + 58) : []
            let pattern = long + random("ab/*%")
            let name = long + random("ab/")
            #expect(
                MailboxPattern(pattern).matches(name) == Self.naive(pattern[...], name[...]),
                "\(pattern) \(name)"
            )
        }
    }

    @Test func `a pattern with many wildcards is matched in limited time`() {
        let pattern = MailboxPattern(Array(String(repeating: "*a", count: 200).utf8))
        let name = Array(String(repeating: "a", count: 1_000).utf8) + [UInt8(ascii: "b")]
        #expect(!pattern.matches(name))
        // Trying every place for each wildcard takes eight times as long for a name of twice the length.
        let three = MailboxPattern(Array("*a*a*a*c".utf8))
        let ratio = Linearity.ratio(from: 512, upTo: 64 * 1_024) { count in
            let name = Array(repeating: UInt8(ascii: "a"), count: count)
            return { #expect(!three.matches(name)) }
        }
        #expect(ratio < Linearity.most)
    }
}
