import IMAP
import NIOCore
import Testing

@Suite struct FetchItemRenamerTests {
    /// The lines of a response around its literals, and the lines for the client.
    static let rows: [([String], [String])] = [
        (["* 1 FETCH (BODY[] {5}\r\n", ")\r\n"], ["* 1 FETCH (RFC822 {5}\r\n", ")\r\n"]),
        (
            ["* 1 FETCH (body[text] {5}\r\n", " UID 4)\r\n"],
            ["* 1 FETCH (RFC822.TEXT {5}\r\n", " UID 4)\r\n"]
        ),
        (
            ["* 1 FETCH (BODY[1] {5}\r\n", " BODY[] {2}\r\n", ")\r\n"],
            ["* 1 FETCH (BODY[1] {5}\r\n", " RFC822 {2}\r\n", ")\r\n"]
        ),
        (
            ["* 1 FETCH (UID 4 BODY[TEXT] NIL BODY[] \"x\")\r\n"],
            ["* 1 FETCH (UID 4 RFC822.TEXT NIL RFC822 \"x\")\r\n"]
        ),
        // Not at item level.
        (
            ["* 1 FETCH (ENVELOPE (NIL \"BODY[] x\" NIL) BODY[1] \"BODY[]\")\r\n"],
            ["* 1 FETCH (ENVELOPE (NIL \"BODY[] x\" NIL) BODY[1] \"BODY[]\")\r\n"]
        ),
        (
            ["* 1 FETCH (BODY[1] \"a \\\" BODY[] \\\\\" BODY[] NIL)\r\n"],
            ["* 1 FETCH (BODY[1] \"a \\\" BODY[] \\\\\" RFC822 NIL)\r\n"]
        ),
        (
            ["* 1 FETCH (FLAGS (BODY[] \\Seen) UID 3)\r\n"],
            ["* 1 FETCH (FLAGS (BODY[] \\Seen) UID 3)\r\n"]
        ),
        (
            ["* 1 FETCH (BODY[HEADER.FIELDS (BODY[])] {2}\r\n", ")\r\n"],
            ["* 1 FETCH (BODY[HEADER.FIELDS (BODY[])] {2}\r\n", ")\r\n"]
        ),
        (["* 1 FETCH (BODY[]<0> NIL)\r\n"], ["* 1 FETCH (BODY[]<0> NIL)\r\n"]),
        (["* 1 FETCH (XBODY[] NIL BODY[]X NIL)\r\n"], ["* 1 FETCH (XBODY[] NIL BODY[]X NIL)\r\n"]),
        (["* 1 FETCH (XXXXXXXXXXBODY[] NIL)\r\n"], ["* 1 FETCH (XXXXXXXXXXBODY[] NIL)\r\n"]),
        (["BODY[] ) ) ( BODY[]\r\n"], ["BODY[] ) ) ( BODY[]\r\n"]),
    ]

    @Test(arguments: rows)
    func `only items are renamed, regardless of where a line is split`(
        lines: [String],
        expected: [String]
    ) {
        let longest = lines.map(\.utf8.count).max() ?? 0
        for size in 1...longest {
            var renamer = FetchItemRenamer()
            let renamed = lines.map { line in
                Array(line.utf8).cut(every: size).map {
                    String(buffer: renamer.rename(ByteBuffer(bytes: $0)))
                }.joined()
            }
            #expect(renamed == expected, "cut every \(size) octets")
        }
    }

    @Test func `a word that cannot be an item is passed on`() {
        var renamer = FetchItemRenamer()
        _ = renamer.rename(ByteBuffer(string: "* 1 FETCH ("))
        let word = ByteBuffer(repeating: UInt8(ascii: "B"), count: 1_000_000)
        #expect(renamer.rename(word).readableBytes >= 1_000_000 - 10)
    }
}
