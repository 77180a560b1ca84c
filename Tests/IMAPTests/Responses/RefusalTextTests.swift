import IMAP
import NIOCore
import Testing

@Suite struct RefusalTextTests {
    /// The text of a status response, and the part of it that is repeated.
    static let rows: [(String, String?)] = [
        ("Over quota", "Over quota"),
        (
            "[OVERQUOTA] Quota exceeded (mailbox for user is full)",
            "Quota exceeded (mailbox for user is full)"
        ),
        ("[ALERT]  Going down", "Going down"),
        ("[X-ANY a b] Why not", "Why not"),
        ("", nil),
        ("   ", nil),
        ("[LIMIT]", nil),
        ("[LIMIT Full", nil),
        ("[A] [REFERRAL imap://elsewhere.example/] x", nil),
        (" [REFERRAL imap://elsewhere.example/] x", nil),
        ("überfüllt", nil),
        ("Full\u{1B}[2J", nil),
        ("Full\tnow", nil),
        ("Full\0", nil),
        ("Full {200}", nil),
        ("[LIMIT] Full {200+}", nil),
        ("{200} octets are too many", "{200} octets are too many"),
        ("Full\u{7F}", nil),
        (String(repeating: "x", count: 513), nil),
        (String(repeating: "x", count: 512), String(repeating: "x", count: 512)),
    ]

    @Test(arguments: rows)
    func `only unambiguous text of a server is repeated`(
        text: String,
        words: String?
    ) {
        let found = RefusalText(ByteBuffer(string: text))
        #expect(found.map { String(buffer: $0.octets) } == words)
    }
}
