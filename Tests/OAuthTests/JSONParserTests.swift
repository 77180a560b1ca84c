import Testing

@testable import OAuth

struct JSONParserTests {
    private func member(_ text: String) throws -> JSONValue? {
        try JSONParser.object(in: Array(text.utf8))["a"]
    }

    @Test(
        arguments: [
            (#"{"a":1}"#, .number(1)), (#" { "a" : -0.5e+1 , "b":[]}  "#, .number(-5)),
            (#"{"\u0061":true}"#, .bool(true)), (#"{"a":"\u00e4\n\"\\\/"}"#, .string("ä\n\"\\/")),
            (#"{"a":"\ud83d\ude00"}"#, .string("😀")), (#"{"a":null}"#, .null), ("{}", nil),
            (#"{"a":["x",false]}"#, .array([.string("x"), .bool(false)])),
            (#"{"A":1,"b":2}"#, nil), (#"{"a":"\u0000"}"#, .string("\0")),
            (#"{"a":1e308}"#, .number(1e308)),
            // The Kelvin sign is not the letter.
            ("{\"\u{212A}\":1,\"K\":2,\"a\":3}", .number(3)),
        ] as [(String, JSONValue?)]
    )
    func `an object is parsed`(text: String, value: JSONValue?) throws {
        #expect(try self.member(text) == value)
    }

    @Test(arguments: [
        "", "1", "[]", "null", "\"a\"", "{", "}", "{}x", "{} {}", #"{"a"}"#, #"{"a":}"#,
        #"{"a":1,}"#, #"{,"a":1}"#, #"{'a':1}"#, #"{a:1}"#, #"{"a":01}"#, #"{"a":+1}"#,
        #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":1e}"#, #"{"a":-}"#, #"{"a":NaN}"#,
        #"{"a":Infinity}"#, #"{"a":1e400}"#, #"{"a":-1e999}"#, #"{"a":0x10}"#, #"{"a":tru}"#,
        #"{"a":True}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\ud800"}"#,
        #"{"a":"\ud800\u0041"}"#, #"{"a":"\udc00\ud800"}"#, "{\"a\":\"\n\"}", "{\"a\":\"x",
        #"{"a":[1,]}"#, #"{"a":[1 2]}"#, #"{"a":1}/**/"#, "\u{FEFF}{}", #"{"a":1"#,
        #"{"a":"\"#, #"{"a":"\u"#,
    ])
    func `other texts are refused`(text: String) {
        #expect(throws: MalformedJSON.self) { try self.member(text) }
    }

    @Test(arguments: [
        #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"\u0061":3}"#, #"{"b":{"c":1,"c":2},"a":1}"#,
        #"{"b":[{"":1,"":2}]}"#,
    ])
    func `two members of one name are refused at every depth`(text: String) {
        #expect(throws: MalformedJSON.self) { try self.member(text) }
    }

    @Test func `text that is not UTF-8 is refused`() {
        for octets: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
            let text = Array("{\"a\":\"".utf8) + octets + Array("\"}".utf8)
            #expect(throws: MalformedJSON.self) { try JSONParser.object(in: text) }
        }
    }

    @Test func `the depth and the length of a number are limited`() throws {
        func nested(_ depth: Int) -> String {
            #"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                + "}"
        }
        #expect(try self.member(nested(15)) != nil)
        #expect(throws: MalformedJSON.self) { try self.member(nested(16)) }
        #expect(throws: MalformedJSON.self) { try self.member(nested(100_000)) }
        let digits = String(repeating: "1", count: 64)
        #expect(try self.member(#"{"a":\#(digits)}"#) != nil)
        #expect(throws: MalformedJSON.self) { try self.member(#"{"a":1\#(digits)}"#) }
    }

    @Test func `each prefix of an object is refused`() {
        let text = Array(#"{"a":[1.5e3,"\u0041",true,{"b":null}],"c":-0}"#.utf8)
        for count in 0..<text.count {
            #expect(throws: MalformedJSON.self) {
                try JSONParser.object(in: Array(text.prefix(count)))
            }
        }
    }
}
