import IMAP
import NIOCore
import Testing

/// ESEARCH responses that the gateway computes from a plain SEARCH or SORT.
@Suite struct SearchResultsTests {
    /// The response to tag `a1` for a server's answer in pieces.
    private static func response(
        _ text: String,
        _ returns: [SearchReturn],
        chunk: Int = .max,
        keepsOrder: Bool = false
    ) throws(SyntaxError) -> String {
        var results = SearchResults(returns, isUID: false)
        results.keepsOrder = keepsOrder
        try Self.read(text, into: &results, chunk: chunk)
        return String(buffer: results.response(tag: ByteBuffer(string: "a1")))
    }

    private static func read(
        _ text: String,
        into results: inout SearchResults,
        chunk: Int
    ) throws(SyntaxError) {
        var octets = ByteBuffer(string: text)
        var isFirst = true
        // The first piece contains the response's name.
        while let piece = octets.readSlice(
            length: min(isFirst ? max(chunk, 10) : chunk, octets.readableBytes)
        ), piece.readableBytes > 0 {
            try results.add(piece, isFirst: isFirst)
            isFirst = false
        }
    }

    @Test(arguments: [1, 2, 3, .max])
    func `numbers are parsed regardless of where their line is split`(chunk: Int) throws {
        let text = "* SEARCH 2 3 4 84 882 4294967295\r\n"
        let response = try Self.response(text, [.min, .max, .count, .all], chunk: chunk)
        #expect(
            response
                == "* ESEARCH (TAG \"a1\") MIN 2 MAX 4294967295 COUNT 6 ALL 2:4,84,882,4294967295\r\n"
        )
    }

    @Test func `a repeated result option is answered once`() throws {
        let returns = Array(repeating: SearchReturn.count, count: 2_000) + [.min, .min]
        #expect(
            try Self.response("* SEARCH 7 2\r\n", returns)
                == "* ESEARCH (TAG \"a1\") COUNT 2 MIN 2\r\n"
        )
    }

    @Test func `surplus spaces are ignored`() throws {
        #expect(
            try Self.response("* SEARCH  2   3 \r\n", [.all])
                == "* ESEARCH (TAG \"a1\") ALL 2:3\r\n"
        )
        #expect(try Self.response("* SEARCH \r\n", []) == "* ESEARCH (TAG \"a1\")\r\n")
        #expect(
            try Self.response("* search\r\n", [.count]) == "* ESEARCH (TAG \"a1\") COUNT 0\r\n"
        )
    }

    @Test func `unsorted and repeated numbers are each found once`() throws {
        let response = try Self.response(
            "* SEARCH 9 7 8 7 1 4294967295 3 2\r\n",
            [.all, .count, .min, .max]
        )
        #expect(
            response
                == "* ESEARCH (TAG \"a1\") ALL 1:3,7:9,4294967295 COUNT 7 MIN 1 MAX 4294967295\r\n"
        )
    }

    @Test func `PARTIAL of a SORT keeps the order`() throws {
        let text = "* SORT 9 8 1 2 3 7\r\n"
        let response = try Self.response(
            text,
            [.partial(2, 4), .min, .max],
            keepsOrder: true
        )
        #expect(response == "* ESEARCH (TAG \"a1\") PARTIAL (2:4 8,1:2) MIN 9 MAX 7\r\n")
        #expect(
            try Self.response(text, [.partial(4_294_967_295, 5)], keepsOrder: true)
                == "* ESEARCH (TAG \"a1\") PARTIAL (4294967295:5 3,7)\r\n"
        )
    }

    @Test(arguments: [1, .max])
    func `the mod-sequence applies to all found messages`(chunk: Int) throws {
        let text = "* SEARCH 2 5 (MODSEQ 917162500)\r\n"
        #expect(
            try Self.response(text, [.count], chunk: chunk)
                == "* ESEARCH (TAG \"a1\") COUNT 2 MODSEQ 917162500\r\n"
        )
        #expect(
            try Self.response(text, [.min], chunk: chunk) == "* ESEARCH (TAG \"a1\") MIN 2\r\n"
        )
    }

    @Test(arguments: [
        "* SEARCH 2 x 3\r\n", "* SEARCH 0\r\n", "* SEARCH 4294967296\r\n", "* SEARCH 2,3\r\n",
        "* SEARCH 99999999999999999999\r\n", "* SEARCH 2 (MODSEQ x)\r\n",
        "* SEARCH 2(MODSEQ 5)\r\n",
        "* SEARCH (MODSEQ 5) 3\r\n", "* SEARCH 2 * SEARCH 3\r\n", "* SEARCH -1\r\n",
    ])
    func `an invalid SEARCH response is refused`(text: String) {
        #expect(throws: SyntaxError.self) { try Self.response(text, [.all]) }
    }

    @Test func `more runs than the limit are reported`() throws {
        var results = SearchResults([.all], isUID: true)
        let numbers = (1...SearchResults.maximumRuns).map { " \($0 * 2)" }.joined()
        try Self.read("* SEARCH\(numbers)\r\n", into: &results, chunk: 16_384)
        #expect(!results.isOverLimit)
        try Self.read("* SEARCH 4000000000\r\n", into: &results, chunk: .max)
        #expect(results.isOverLimit)
    }
}
