import Foundation
import Testing

@testable import Exchange

/// JSON, without what Windows PowerShell wraps things in.
@Suite struct JSONValueTests {
    private static func read(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    static let values: [(String, JSONValue)] = [
        ("null", .null), ("true", .bool(true)), ("0", .number(0)), ("1", .number(1)),
        ("-1.5", .number(-1.5)),
        (#""a""#, .string("a")), (#""""#, .string("")), ("[]", .array([])), ("{}", .object([:])),
        (#"[1,"a",null]"#, .array([.number(1), .string("a"), .null])),
        (#"{"a":{"b":[]}}"#, .object(["a": .object(["b": .array([])])])),
        // A list and a word, as Windows PowerShell 5.1 wraps them.
        (#"{"value":["Editor"],"Count":1}"#, .array([.string("Editor")])),
        (#"{"value":[],"Count":0}"#, .array([])),
        (#"{"value":8,"Value":"Editor"}"#, .string("Editor")),
        (#"[{"value":8,"Value":"Editor"}]"#, .array([.string("Editor")])),
        // What only looks like it.
        (
            #"{"value":["a"],"count":1}"#,
            .object(["value": .array([.string("a")]), "count": .number(1)])
        ),
        (#"{"value":"a","Count":1}"#, .object(["value": .string("a"), "Count": .number(1)])),
        (
            #"{"value":[],"Count":0,"more":1}"#,
            .object(["value": .array([]), "Count": .number(0), "more": .number(1)])
        ),
    ]

    @Test(arguments: values.indices)
    func `a value is read, and unwrapped`(index: Int) throws {
        let (text, value) = Self.values[index]
        #expect(try Self.read(text) == value)
        #expect(
            try Self.read(String(decoding: JSONEncoder().encode([value]), as: UTF8.self))
                == .array([value])
        )
    }

    @Test(arguments: [
        #"{"value":["a"],"Count":2}"#, #"{"value":["a"],"Count":0}"#, #"{"value":[],"Count":0.5}"#,
        #"{"a":1,"A":2}"#, #"{"x":{"name":1,"Name":2}}"#, "", "{", "nul",
        String(repeating: "[", count: 40) + String(repeating: "]", count: 40),
    ])
    func `what can be read in two ways is refused`(text: String) {
        #expect(throws: (any Error).self) { try Self.read(text) }
    }

    @Test func `a member is found in any case, its own spelling first`() throws {
        let value = try Self.read(#"{"Name":"a","other":1}"#)
        #expect(value["name"] == .string("a") && value["NAME"]?.string == "a")
        #expect(value["nothing"] == nil && JSONValue.null["name"] == nil)
        #expect(value["other"]?.string == nil)
    }
}
