import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// The conversations that bring an interrupted transfer to its end.
@Suite struct TransferRecoveryTests {
    private static let transfer: Transfer? = {
        guard let source = FolderPath(octets: Array("INBOX".utf8)),
            let target = FolderPath(octets: Array("Akten/Neu".utf8))
        else { return nil }
        return Transfer(
            moves: true,
            source: Transfer.Place(account: 1, folder: source, uidValidity: 70),
            uids: [3, 4, 9],
            target: Transfer.Place(account: 2, folder: target, uidValidity: 9),
            uidNext: 41
        )
    }()

    @Test(arguments: [Int64(2_000_000_000), 30_000_000_000])
    func `the last look is at the end of the time that a server has`(time: Int64) {
        let waits = (1...TransferRecovery.looks).map { TransferRecovery.wait(before: $0, of: time) }
        #expect(time - waits.reduce(0, +) < 7)
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $1 == 2 * $0 })
    }

    /// Plays the server: what it answers to each command, in order.
    private static func run(
        _ purpose: TransferRecovery.Purpose,
        capabilities: Set<String> = ["UIDPLUS"],
        _ exchanges: [(command: String, answers: [String])]
    ) throws -> TransferRecovery.Outcome? {
        var recovery = TransferRecovery(purpose, of: try #require(Self.transfer))
        let profile = UpstreamProfile(capabilities: capabilities, delimiter: UInt8(ascii: "."))
        var step = recovery.begin(profile, UpstreamTags(random: 7))
        for (command, answers) in exchanges {
            guard case .send(let segments) = step else {
                Issue.record("\(step) instead of \(command)")
                return nil
            }
            let words = segments.map { String(buffer: $0) }.joined().split(
                separator: " ",
                maxSplits: 1
            )
            #expect(words.last.map(String.init) == command + "\r\n")
            for answer in answers {
                let text = answer.hasPrefix("T ") ? "\(words[0])\(answer.dropFirst())" : answer
                step = recovery.responseReceived(ByteBuffer(string: text + "\r\n"))
            }
        }
        guard case .done(let outcome) = step else { return nil }
        return outcome
    }

    private static let items =
        "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"

    private static func message(_ uid: Int, _ identifier: String, _ zone: String) -> String {
        let hour = zone == "+0000" ? "09" : "02"
        let header = identifier.isEmpty ? "\r\n" : "Message-ID: <\(identifier)>\r\n\r\n"
        return "* \(uid) FETCH (UID \(uid) INTERNALDATE \"17-Jul-1996 \(hour):44:25 \(zone)\" "
            + "RFC822.SIZE 90 BODY[HEADER.FIELDS (MESSAGE-ID)] {\(header.utf8.count)}\r\n\(header))"
    }

    private static let identities: [MessageIdentity] = {
        let outcome = try? run(
            .identify,
            [
                ("EXAMINE INBOX", ["* OK [UIDVALIDITY 70] x", "T OK [READ-ONLY] x"]),
                (
                    "UID FETCH 3:4,9 \(items)",
                    [
                        message(3, "a@b", "-0700"), message(4, "c@d", "-0700"),
                        // One of which nobody asked, and one again.
                        message(5, "e@f", "-0700"), message(4, "c@d", "-0700"), "T OK x",
                    ]
                ),
            ]
        )
        guard case .identities(let identities) = outcome else { return [] }
        return identities
    }()

    @Test func `the source tells what it still has`() {
        #expect(Self.identities.count == 2)
    }

    @Test func `only copies go, each once, and none that was there before`() throws {
        let outcome = try Self.run(
            .undo(Self.identities),
            [
                ("SELECT Akten.Neu", ["* OK [UIDVALIDITY 9] x", "T OK [READ-WRITE] x"]),
                (
                    "UID FETCH 41:* \(Self.items)",
                    [
                        Self.message(40, "c@d", "-0700"), Self.message(41, "a@b", "+0000"),
                        Self.message(42, "a@b", "-0700"), Self.message(43, "x@y", "-0700"),
                        Self.message(44, "", "-0700"), "T OK x",
                    ]
                ),
                ("UID STORE 41 +FLAGS.SILENT (\\Deleted)", ["T OK x"]),
                ("UID EXPUNGE 41", ["* 41 EXPUNGE", "T OK x"]),
            ]
        )
        #expect(outcome == .done(1))
    }

    @Test func `without UIDPLUS copies stay, unmarked`() throws {
        let outcome = try Self.run(
            .undo(Self.identities),
            capabilities: [],
            [
                ("SELECT Akten.Neu", ["* OK [UIDVALIDITY 9] x", "T OK x"]),
                (
                    "UID FETCH 41:* \(Self.items)", [Self.message(41, "a@b", "+0000"), "T OK x"]
                ),
            ]
        )
        #expect(outcome == .cannotRemove)
    }

    @Test func `another mailbox of the same name is left alone`() throws {
        let outcome = try Self.run(
            .complete,
            [("SELECT INBOX", ["* OK [UIDVALIDITY 71] x", "T OK x"])]
        )
        #expect(outcome == .gone)
        let refused = ("SELECT INBOX", ["T NO [INUSE] x"])
        let missing = ("SELECT INBOX", ["T NO [NONEXISTENT] x"])
        #expect(try Self.run(.complete, [missing]) == .gone)
        #expect(try Self.run(.complete, [refused, ("LIST \"\" INBOX", ["T OK x"])]) == .gone)
        // It is there, and cannot be had now.
        let listed = ["* LIST () \".\" INBOX", "T OK x"]
        #expect(try Self.run(.complete, [refused, ("LIST \"\" INBOX", listed)]) == .refused)
        #expect(try Self.run(.complete, [refused, ("LIST \"\" INBOX", ["T NO x"])]) == .refused)
    }

    @Test func `the originals go, and no others`() throws {
        let outcome = try Self.run(
            .complete,
            [
                ("SELECT INBOX", ["* OK [UIDVALIDITY 70] x", "T OK x"]),
                ("UID STORE 3:4,9 +FLAGS.SILENT (\\Deleted)", ["T OK x"]),
                ("UID EXPUNGE 3:4,9", ["T OK x"]),
            ]
        )
        #expect(outcome == .done(3))
    }

    @Test(arguments: ["x OK", "+ go on", "* 1 FETCH (UID", "\0", "* BYE", "T NO no"])
    func `a server that answers otherwise is left, and tried again`(answer: String) throws {
        let outcome = try Self.run(
            .complete,
            [
                ("SELECT INBOX", ["* OK [UIDVALIDITY 70] x", "T OK x"]),
                ("UID STORE 3:4,9 +FLAGS.SILENT (\\Deleted)", [answer]),
            ]
        )
        #expect(outcome == .refused || outcome == nil)
    }
}
