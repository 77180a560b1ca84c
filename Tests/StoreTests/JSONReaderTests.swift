import Access
import Foundation
import Testing

@testable import Store

/// The reader of documents.
@Suite struct JSONReaderTests {
    private static func error(_ text: String) -> String? {
        do {
            _ = try ModelDocument(json: Data(text.utf8))
            return nil
        } catch { return "\(error)" }
    }

    private static func unknown(_ key: String) -> String {
        "this version does not know the key \(key); correct its spelling or remove it"
    }

    @Test(arguments: [
        ("{}", nil),
        ("\u{FEFF}{}", nil),
        (#"{"users":[],"walls":[]}"#, nil),
        (#"{"users":null}"#, nil),
        (#"{"us\u0065rs":[{"l\u006fgin":"a","disabled":false}]}"#, nil),
        ("{\"users\"\n\t\r :[]}", nil),
        (#"{"groups":[{"name":"\"x\":","members":["\\","\"nam\":1"]}]}"#, nil),
        (#"{"user":[]}"#, Self.unknown("user")),
        (#" { "users" : [ { "login" : "a" , "nmae" : "b" } ] } "#, Self.unknown("users.[0].nmae")),
        (#"{"accounts":[{"imap":{"host":"x","Port":1}}]}"#, Self.unknown("accounts.[0].imap.Port")),
        (#"{"us\u0065r":[]}"#, Self.unknown("user")),
        (#"{"users":[{"lo\"gin":1}]}"#, Self.unknown(#"users.[0].lo"gin"#)),
        ("{\"us\u{E9}rs\":[]}", Self.unknown("us\u{E9}rs")),
        (#"{"groups":[{"name":"g","members":[]},{"nam":1}]}"#, Self.unknown("groups.[1].nam")),
        (
            #"{"walls":[],"w\u0061lls":[]}"#,
            "the document has the key walls twice: remove one of them"
        ),
        (#"{"users":[{"login":"a"}]}"#, "users.[0] lacks the key disabled"),
        (
            #"{"accounts":[{"address":"a","kind":"imap","imap":{"host":"h"}}]}"#,
            "accounts.[0].imap lacks the key port"
        ),
        (#"{"users":{"a":{"b":1}}}"#, "users has the wrong type"),
        (#"{"users":[[]]}"#, "users.[0] has the wrong type"),
        (#"{"users":[{"login":1}]}"#, "users.[0].login has the wrong type"),
        (#"{"users":[{"login":"a","disabled":null}]}"#, "users.[0].disabled has the wrong type"),
        (#"{"users":[{"login":"a","disabled":1}]}"#, "users.[0].disabled has the wrong type"),
        (
            #"{"groups":[{"name":"g","members":["a",null]}]}"#,
            "groups.[0].members.[1] has the wrong type"
        ),
        ("[]", "the document has the wrong type"),
        ("null", "the document has the wrong type"),
    ])
    func `keys and types are checked, and named with their place`(text: String, says: String?) {
        #expect(Self.error(text) == says)
    }

    @Test(arguments: [
        ("", 1, 1), ("{", 1, 2), ("{\n \"users\":", 2, 10), ("{\"users\":[", 1, 11),
        ("{\"users\":[],}", 1, 13), ("{} {}", 1, 4), ("{\"users\":[]\n\"walls\":[]}", 2, 1),
        ("{\"users\" []}", 1, 10), ("{users:[]}", 1, 2), ("{'users':[]}", 1, 2),
        ("{\"users\":nul}", 1, 13), ("{\"users\":[{\"login\":\"a\u{1}\"}]}", 1, 22),
        ("// a\n{}", 1, 1), ("{\"a\\", 1, 5), ("\u{0}{}", 1, 1), ("{\"users\":[,]}", 1, 11),
    ])
    func `text that is no JSON is refused with its place`(text: String, line: Int, column: Int) {
        #expect(Self.error(text) == "it is not JSON: line \(line), column \(column)")
    }

    @Test(
        arguments: [
            ("993", 993), ("0", 0), ("-0", 0), ("-1", -1), ("9223372036854775807", .max),
            ("-9223372036854775808", .min), ("9223372036854775808", nil), ("01", nil), ("1.5", nil),
            ("1e3", nil), ("+1", nil), ("-", nil), ("--1", nil), ("1-", nil), ("0x1", nil),
            ("\"1\"", nil),
            ("1.0", nil), ("true", nil), ("00", nil), ("-01", nil),
        ] as [(String, Int64?)]
    )
    func `a number is a whole number of JSON`(text: String, number: Int64?) {
        let grant = #"{"grants":[{"account":"a","subject":"b","scope":null,"until":\#(text)}]}"#
        let document = try? ModelDocument(json: Data(grant.utf8))
        #expect(document?.grants?[0].until == number)
        #expect((document == nil) == (number == nil))
    }

    @Test(
        arguments: [
            (#"a\"\\\/\b\f\n\r\tz"#, "a\"\\/\u{8}\u{C}\n\r\tz"), (#"\u00e9\u00E9"#, "\u{E9}\u{E9}"),
            (#"\ud83d\ude00!"#, "\u{1F600}!"), (#"a\u0000b"#, nil),
            ("\u{E9}\u{1F600}\u{7F}", "\u{E9}\u{1F600}\u{7F}"),
            (#"\ud83d"#, nil), (#"\ude00\ud83d"#, nil), (#"\ud83d\u0041"#, nil), (#"\ud83dx"#, nil),
            (#"\u12"#, nil), (#"\u+123"#, nil), (#"\uzzzz"#, nil), (#"\x41"#, nil),
            (#"\U0041"#, nil), (#"\"#, nil),
            ("a\nb", nil),
        ] as [(String, String?)]
    )
    func `escapes of a text are replaced`(text: String, value: String?) {
        let group = #"{"groups":[{"name":"\#(text)","members":[]}]}"#
        let document = try? ModelDocument(json: Data(group.utf8))
        #expect(document?.groups?[0].name == value)
        #expect((document == nil) == (value == nil))
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80],
        ] as [[UInt8]]
    )
    func `text that is not UTF-8 is refused`(octets: [UInt8]) {
        for (before, after) in [("", ""), ("a", "b"), ("\\n", "")] {
            let text =
                Array(#"{"groups":[{"name":""#.utf8) + Array(before.utf8) + octets
                + Array(after.utf8) + Array(#"","members":[]}]}"#.utf8)
            #expect(throws: JSONError.self) { try ModelDocument(json: Data(text)) }
        }
        #expect(throws: JSONError.self) {
            try ModelDocument(json: Data(Array("{}".utf16).flatMap { [0, UInt8($0)] }))
        }
    }

    @Test func `a document that is cut off anywhere is refused`() throws {
        let office = try Office()
        try office.group("g", "anna")
        try office.grant(
            "info",
            "anna",
            .manage,
            send: .as,
            scope: .folder(try Office.path("Akten/\u{DC}"))
        )
        try office.wall("info", "carl")
        try office.withdraw("sales", "anna", .view)
        let document = try office.store.export()
        let octets = try JSONEncoder().encode(document)
        #expect(try ModelDocument(json: octets) == document)
        for count in 0..<octets.count {
            #expect(throws: JSONError.self) { try ModelDocument(json: octets.prefix(count)) }
        }
    }

    /// A decoder of another author reads the same values.
    @Test func `damaged JSON is read only where Foundation reads it`() throws {
        let text = Array(
            #"{"groups":[{"name":"a\u00e9\n","members":["x","\ud83d\ude00"]}],"users":[{"login":"a","disabled":true,"name":null}]}"#
                .utf8
        )
        let spice = Array("{}[]\",:\\u0aA-1.e \u{E9}nt".utf8)
        var generator = SystemRandomNumberGenerator()
        var read = 0
        for _ in 0..<20_000 {
            var damaged = text
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let place = damaged.indices.randomElement(using: &generator) ?? 0
                damaged[place] = spice.randomElement(using: &generator) ?? 0
            }
            guard let document = try? ModelDocument(json: Data(damaged)) else { continue }
            read += 1
            let shown = String(decoding: damaged, as: UTF8.self)
            let value = try #require(
                try JSONSerialization.jsonObject(with: Data(damaged)) as? [String: Any],
                "\(shown)"
            )
            let group = (value["groups"] as? [[String: Any]])?.first
            #expect(document.groups?.first?.name == group?["name"] as? String, "\(shown)")
            #expect(document.groups?.first?.members == group?["members"] as? [String], "\(shown)")
        }
        #expect(read > 500)
    }
}
