import Foundation
import Store
import Testing

/// A document's key that is always written.
@Suite struct NullableTests {
    private struct Sample: Codable, Equatable {
        @Nullable var name: String?
        @Nullable var count: Int64?
        var plain: String?
    }

    private static func encoded(_ sample: Sample) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(sample), as: UTF8.self)
    }

    private static func decoded(_ text: String) throws -> Sample {
        try JSONDecoder().decode(Sample.self, from: Data(text.utf8))
    }

    @Test func `a nil value is encoded as null, and a plain optional is omitted`() throws {
        #expect(
            try Self.encoded(Sample(name: nil, count: nil, plain: nil))
                == #"{"count":null,"name":null}"#
        )
        #expect(
            try Self.encoded(Sample(name: "a", count: 0, plain: "b"))
                == #"{"count":0,"name":"a","plain":"b"}"#
        )
    }

    @Test(
        arguments: [
            (#"{}"#, nil, nil), (#"{"name":null,"count":null}"#, nil, nil),
            (#"{"name":"","count":0}"#, "", 0), (#"{"name":"a"}"#, "a", nil),
            (#"{"count":-1}"#, nil, -1),
        ] as [(String, String?, Int64?)]
    )
    func `a missing key and null decode alike`(text: String, name: String?, count: Int64?) throws {
        let sample = try Self.decoded(text)
        #expect(sample.name == name && sample.count == count)
        #expect(try Self.decoded(try Self.encoded(sample)) == sample)
    }

    @Test(arguments: [#"{"name":1}"#, #"{"count":"1"}"#, #"{"count":1.5}"#, #"{"name":[]}"#])
    func `a value of another JSON type is refused`(text: String) {
        #expect(throws: DecodingError.self) { try Self.decoded(text) }
    }

    @Test func `equal values have equal hashes`() {
        let (one, same, other) = (
            Nullable(wrappedValue: "a"), Nullable(wrappedValue: "a"),
            Nullable<String>(wrappedValue: nil)
        )
        #expect(one == same && one != other)
        #expect(Set([one, same, other]).count == 2)
    }
}
