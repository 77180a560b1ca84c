import Access
import NIOCore
import Testing

@testable import Session

/// Commands of the sizes that the limits allow. The harness reads as the gateway does: only while
/// the session accepts octets.
@Suite struct LargeCommandTests {
    private static func repeated(_ text: String, _ count: Int) -> String {
        String(repeating: text, count: count)
    }

    private static let sparse = stride(from: 1, to: 40_000, by: 2).map { "\($0)" }
        .joined(separator: ",")

    /// A command, the beginning of its answer, and whether the server receives it.
    static let commands: [(String, String, Bool)] = [
        ("UID FETCH \(sparse) FLAGS", "OK", true),
        ("UID FETCH \((1...20_000).map { "\($0)" }.joined(separator: ",")) FLAGS", "OK", true),
        ("SEARCH TEXT {70000+}\r\n\(repeated("x", 70_000))", "OK", true),
        ("SEARCH TEXT {70000}\r\n\(repeated("x", 70_000))", "OK", true),
        (
            "SEARCH TEXT {40000+}\r\n\(repeated("x", 40_000)) TEXT {40000+}\r\n"
                + repeated("y", 40_000),
            "OK", true
        ),
        ("SEARCH \(repeated("NOT ", 17_000))ALL", "NO [LIMIT]", false),
        ("SEARCH SUBJECT {131072+}\r\n\(repeated("x", 131_072))", "OK", true),
        ("SEARCH SUBJECT {131073+}\r\n\(repeated("x", 131_073))", "NO [TOOBIG]", false),
        ("NOOP \(repeated("x", 300_000))", "NO [TOOBIG]", false),
        (
            "ID (\(repeated("\"name\" \"\(repeated("x", 1_024))\" ", 30)))", "OK", false
        ),
    ]

    @Test(arguments: commands.indices)
    func `a large command and the next one are answered`(row: Int) throws {
        let (command, answer, isSent) = Self.commands[row]
        for chunk in [1_460, 65_536] {
            var bench = try AttackHarness(state: "own")
            bench.send(Array("A1 \(command)\r\nA2 NOOP\r\n".utf8), chunk: chunk)
            #expect(bench.answer("A1")?.hasPrefix(answer) == true, "\(bench.clientText.suffix(99))")
            #expect(bench.answer("A2")?.hasPrefix("OK") == true)
            #expect(bench.receivedForClient.count == (isSent ? 2 : 1))
            bench.check()
            #expect(bench.breaches == [])
        }
    }

    @Test func `an ID of the maximum size is answered before login`() throws {
        let fields = Self.repeated("\"name\" \"\(Self.repeated("x", 1_024))\" ", 30)
        for chunk in [1_460, 65_536] {
            var bench = try AttackHarness(state: "before-login")
            bench.send(Array("A1 ID (\(fields))\r\nA2 NOOP\r\n".utf8), chunk: chunk)
            #expect(bench.answer("A1") == "OK ID completed")
            #expect(bench.answer("A2")?.hasPrefix("OK") == true)
            // A second one exceeds the limit of all ID commands before login.
            bench.send(Array("A3 ID (\(fields))\r\nA4 NOOP\r\n".utf8), chunk: chunk)
            #expect(bench.isClosed)
        }
    }

    @Test func `the session takes 64 KiB of pipelined octets while a command runs`() {
        var session = ClientSession(snapshot: Fixture().snapshot, hasTLS: true, at: Fixture.now)
        session.clientOctetsReceived(
            ByteBuffer(string: "l LOGIN anna@kanzlei.example pw\r\n"),
            at: Fixture.now
        )
        session.authenticationFinished(
            .accepted(UserID(1), account: nil, profiles: Fixture().profiles)
        )
        session.clientOctetsReceived(ByteBuffer(string: "a SELECT INBOX\r\n"), at: Fixture.now)
        let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1_024)
        var taken = 0
        while session.wantsClientOctets {
            session.clientOctetsReceived(piece, at: Fixture.now)
            taken += 1
        }
        #expect(taken == 64)
    }
}
