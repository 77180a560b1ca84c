import Testing

@testable import gatepost

/// The name of a session, as the list prints it and `session end` reads it.
@Suite struct SessionIdentifierTests {
    @Test(
        arguments: [
            ("7", nil, 7), ("mail1/7", "mail1", 7), ("mail-1.example_b/0", "mail-1.example_b", 0),
            ("18446744073709551615", nil, UInt64.max),
        ] as [(String, String?, UInt64)]
    )
    func `a session is a number, after its node if there are several`(
        text: String,
        node: String?,
        number: UInt64
    ) {
        let session = SessionIdentifier(argument: text)
        #expect(session == SessionIdentifier(number, node: node))
        #expect(session?.description == text)
    }

    @Test(arguments: ["", "x", "/7", "mail1/", "mail1", "a/b/7", "-1", "7/mail1", " 7", "1e3"])
    func `any other text is refused`(text: String) {
        #expect(SessionIdentifier(argument: text) == nil)
    }
}
