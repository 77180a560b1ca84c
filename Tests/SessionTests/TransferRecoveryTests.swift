import Access
import IMAP
import NIOCore
import Testing

@testable import Session

/// The conversations that complete or undo an interrupted transfer.
@Suite struct TransferRecoveryTests {
    private static let transfer: Transfer? = {
        guard let source = FolderPath(octets: Array("INBOX".utf8)),
            let target = FolderPath(octets: Array("Akten/Neu".utf8))
        else { return nil }
        return Transfer(
            moves: true,
            source: Transfer.Mailbox(account: 1, folder: source, uidValidity: 70),
            uids: [3, 4, 9],
            target: Transfer.Mailbox(account: 2, folder: target, uidValidity: 9),
            uidNext: 41
        )
    }()

    @Test(arguments: [Int64(2_000_000_000), 30_000_000_000])
    func `the last search happens at the end of the total time`(time: Int64) {
        let waits = (1...TransferRecovery.looks).map { TransferRecovery.wait(before: $0, of: time) }
        #expect(time - waits.reduce(0, +) < 7)
        #expect(zip(waits, waits.dropFirst()).allSatisfy { $1 == 2 * $0 })
    }

    /// Plays the server, with its lines after each command, in order.
    private static func run(
        _ purpose: TransferRecovery.Purpose,
        capabilities: Set<String> = ["UIDPLUS"],
        folders: [String] = ["INBOX", "Akten.Neu"],
        _ exchanges: [(command: String, answers: [String])]
    ) throws -> TransferRecovery.Outcome? {
        let listed = folders.map { "* LIST () \".\" \($0)" } + ["T OK x"]
        return try self.run(purpose, capabilities, [("LIST \"\" \"*\"", listed)] + exchanges)
    }

    private static func run(
        _ purpose: TransferRecovery.Purpose,
        _ capabilities: Set<String>,
        _ exchanges: [(command: String, answers: [String])]
    ) throws -> TransferRecovery.Outcome? {
        var recovery = TransferRecovery(purpose, of: try #require(Self.transfer))
        let profile = UpstreamProfile(capabilities: capabilities, delimiter: UInt8(ascii: "."))
        var step = recovery.begin(profile, tags: UpstreamTags(random: 7))
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
                guard let response = try Self.collected(text + "\r\n", &recovery) else { continue }
                step = recovery.responseReceived(response)
            }
        }
        guard case .done(let outcome) = step else { return nil }
        return outcome
    }

    /// The response as the connection collects it; nil if the conversation took its pieces.
    private static func collected(
        _ text: String,
        _ recovery: inout TransferRecovery
    ) throws -> ByteBuffer? {
        var reader = ResponseReader()
        reader.receive(ByteBuffer(string: text))
        var collected: ByteBuffer?
        do {
            while let piece = try reader.next() {
                if recovery.pieceReceived(piece) { continue }
                if collected == nil { collected = ByteBuffer() }
                collected?.writeImmutableBuffer(piece.octets)
            }
        } catch {
            // The connection is closed after this step.
            return ByteBuffer(string: text)
        }
        return collected
    }

    @Test func `the source reports the messages that it still has`() throws {
        let outcome = try Self.run(
            .identify,
            [
                ("EXAMINE INBOX", ["* OK [UIDVALIDITY 70] x", "T OK [READ-ONLY] x"]),
                (
                    "UID FETCH 3:4,9 (UID)",
                    // One that was not requested, and one twice.
                    [
                        "* 1 FETCH (UID 3)", "* 2 FETCH (UID 4)", "* 3 FETCH (UID 5)",
                        "* 2 FETCH (UID 4 FLAGS ())", "T OK x",
                    ]
                ),
            ]
        )
        #expect(outcome == .present([3, 4]))
    }

    private static let text = "Message-ID: <a@b>\r\n\r\nsent\r\n"
    private static let date = "17-Jul-1996 02:44:25 -0700"

    private static func sent(_ source: UInt32, _ text: String) -> Transfer.Message {
        var hasher = MessageHasher()
        hasher.update(ByteBuffer(string: text))
        return Transfer.Message(
            source: source,
            octets: hasher.octets,
            date: DateTime(ByteBuffer(string: Self.date))?.seconds ?? 0,
            digest: hasher.digest
        )
    }

    private static func listed(_ uid: Int, _ text: String, _ date: String = date) -> String {
        "* \(uid) FETCH (UID \(uid) INTERNALDATE \"\(date)\" RFC822.SIZE \(text.utf8.count))"
    }

    private static func body(_ uid: Int, _ text: String) -> (String, [String]) {
        let answer = "* \(uid) FETCH (UID \(uid) BODY[] {\(text.utf8.count)}\r\n\(text))"
        return ("UID FETCH \(uid) (UID BODY.PEEK[])", [answer, "T OK x"])
    }

    /// Searches the target's messages for one message that was sent.
    private static func find(
        _ listed: [String],
        _ bodies: [(String, [String])],
        sent texts: [String] = [text]
    ) throws -> TransferRecovery.Outcome? {
        try self.run(
            .find(texts.enumerated().map { self.sent(UInt32($0) + 3, $1) }),
            [
                ("EXAMINE Akten.Neu", ["* OK [UIDVALIDITY 9] x", "T OK [READ-ONLY] x"]),
                ("UID FETCH 41:* (UID INTERNALDATE RFC822.SIZE)", listed + ["T OK x"]),
            ] + bodies
        )
    }

    @Test func `a copy has the octets and the date that were sent`() throws {
        let other = Self.text.replacing("sent", with: "evil")
        let later = "18-Jul-1996 02:44:25 -0700"
        let outcome = try Self.find(
            // The same time in another zone; one that existed before; one of another size.
            [
                Self.listed(40, Self.text),
                Self.listed(42, Self.text, "17-Jul-1996 09:44:25 +0000"),
                Self.listed(43, other, later), Self.listed(44, "x", later),
            ],
            [Self.body(42, Self.text), Self.body(43, other)]
        )
        #expect(outcome == .found([3: 42], isConclusive: true))
    }

    @Test func `an equal Message-ID, date or size does not identify a copy`() throws {
        let decoy = Self.text.replacing("sent", with: "evil")
        let listed = [Self.listed(41, decoy), Self.listed(42, decoy + "more")]
        let outcome = try Self.find(listed, [Self.body(41, decoy)])
        #expect(outcome == .found([:], isConclusive: false))
    }

    @Test func `equal octets with another date are not a copy`() throws {
        let later = "18-Jul-1996 02:44:25 -0700"
        let outcome = try Self.find(
            [Self.listed(41, Self.text, later)],
            [Self.body(41, Self.text)]
        )
        #expect(outcome == .found([:], isConclusive: false))
    }

    @Test func `more equal messages than were sent identify no copy`() throws {
        let listed = [Self.listed(41, Self.text), Self.listed(42, Self.text)]
        let bodies = [Self.body(41, Self.text), Self.body(42, Self.text)]
        #expect(try Self.find(listed, bodies) == .found([:], isConclusive: false))
        let two = try Self.find(listed, bodies, sent: [Self.text, Self.text])
        #expect(two == .found([3: 41, 4: 42], isConclusive: true))
    }

    @Test func `a new message that cannot be a copy leaves the search conclusive`() throws {
        let later = "18-Jul-1996 02:44:25 -0700"
        let outcome = try Self.find([Self.listed(41, "x", later)], [])
        #expect(outcome == .found([:], isConclusive: true))
        #expect(try Self.find([], []) == .found([:], isConclusive: true))
    }

    @Test func `a copy that the journal already records is not fetched`() throws {
        var transfer = try #require(Self.transfer)
        transfer.copies = [
            Transfer.Copy(message: Self.sent(3, Self.text), isStored: true, uid: 41)
        ]
        var search = CopySearch(wanted: [Self.sent(4, Self.text)], known: [41])
        let date = Self.sent(4, Self.text).date
        search.listed(uid: 41, size: UInt64(Self.text.utf8.count), date: date)
        search.listed(uid: 42, size: UInt64(Self.text.utf8.count), date: date)
        #expect(search.uids == [42])
    }

    @Test func `the number of fetched messages is limited`() throws {
        let message = Self.sent(3, Self.text)
        var search = CopySearch(wanted: [message], known: [])
        for uid in 41..<10_041 {
            search.listed(uid: UInt32(uid), size: message.octets, date: message.date)
        }
        #expect(search.uids.count < 20)
        #expect(search.found().isEmpty && !search.isConclusive)
    }

    @Test func `undo removes only UIDs of the journal, and none that existed before`() throws {
        let outcome = try Self.run(
            .undo([42, 41, 40]),
            [
                ("SELECT Akten.Neu", ["* OK [UIDVALIDITY 9] x", "T OK [READ-WRITE] x"]),
                ("UID STORE 41:42 +FLAGS.SILENT (\\Deleted)", ["T OK x"]),
                ("UID EXPUNGE 41:42", ["* 41 EXPUNGE", "* 41 EXPUNGE", "T OK x"]),
            ]
        )
        #expect(outcome == .done(2))
    }

    @Test func `without UIDPLUS the copies stay unmarked`() throws {
        let outcome = try Self.run(
            .undo([41]),
            capabilities: [],
            [("SELECT Akten.Neu", ["* OK [UIDVALIDITY 9] x", "T OK x"])]
        )
        #expect(outcome == .cannotRemove)
    }

    @Test func `undo removes nothing from another mailbox with the target's name`() throws {
        let exchange = ("SELECT Akten.Neu", ["* OK [UIDVALIDITY 10] x", "T OK x"])
        #expect(try Self.run(.undo([41]), [exchange]) == .gone)
    }

    @Test func `another mailbox with the same name counts as gone`() throws {
        let outcome = try Self.run(
            .complete,
            [("SELECT INBOX", ["* OK [UIDVALIDITY 71] x", "T OK x"])]
        )
        #expect(outcome == .gone)
        let refused = ("SELECT INBOX", ["T NO [INUSE] x"])
        let missing = ("SELECT INBOX", ["T NO [NONEXISTENT] x"])
        #expect(try Self.run(.complete, [missing]) == .gone)
        // It exists but cannot be selected now.
        #expect(try Self.run(.complete, [refused]) == .refused)
    }

    @Test func `a mailbox that the server does not list is not opened`() throws {
        let inbox = ("LIST \"\" INBOX", ["T OK x"])
        #expect(try Self.run(.complete, folders: ["Akten.Neu"], [inbox]) == .gone)
        for names in [[], ["INBOX"], ["Akten.neu"], ["Akten.Neu.x"], ["\"Akten/Neu\""]] {
            let missing = ("LIST \"\" Akten.Neu", ["T OK x"])
            #expect(try Self.run(.undo([41]), folders: names, [missing]) == .gone, "\(names)")
            // LIST of the exact name returns names that the full list omits.
            let hidden = ("LIST \"\" Akten.Neu", ["* LIST () \".\" Akten.Neu", "T OK x"])
            #expect(try Self.run(.undo([41]), folders: names, [hidden]) == .unlisted)
        }
        let refused = [("LIST \"\" \"*\"", ["T NO [UNAVAILABLE] x"])]
        #expect(try Self.run(.undo([41]), ["UIDPLUS"], refused) == .refused)
    }

    @Test func `completion expunges the originals and no other messages`() throws {
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
    func `an unexpected answer never counts as a removal`(answer: String) throws {
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
