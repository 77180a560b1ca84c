import Access
import IMAP
import NIOCore
import Support
import Testing

@testable import Session

/// Large answers to LIST. They are written in parts, as fast as the client reads, and by the
/// permissions in force.
@Suite(.serialized) struct ListAnswerTests {
    /// Anna's session, and her server's answers to LIST.
    private struct Bench {
        private(set) var session: ClientSession
        private(set) var meter = StallMeter()
        private(set) var lines: [String] = []
        private(set) var waits = false
        private(set) var tag = ""
        let fixture: Fixture
        /// Anna's subscription choices for Bob's folders.
        var choices = SubscriptionChoices()

        init(_ fixture: Fixture, opening account: AccountID?) {
            self.fixture = fixture
            self.session = ClientSession(
                snapshot: fixture.snapshot,
                hasTLS: true,
                at: Fixture.now
            )
            self.session.opened()
            self.client("l LOGIN anna@kanzlei.example pw\r\n")
            self.session.authenticationFinished(
                .accepted(fixture.anna, account: account, profiles: fixture.profiles)
            )
            self.perform()
            self.lines = []
        }

        private mutating func perform() {
            var actions: [Action] = []
            self.session.takeActions(into: &actions)
            for action in actions {
                switch action {
                case .toClient(let octets):
                    self.lines += String(buffer: octets).split(separator: "\r\n").map(String.init)
                case .toUpstream(_, let octets):
                    self.tag = String(String(buffer: octets).prefix { $0 != " " })
                case .openUpstream(let account):
                    guard let profile = self.fixture.profiles[account] ?? nil else { continue }
                    self.session.upstreamReady(
                        account,
                        profile: profile,
                        tags: UpstreamTags(random: 7)
                    )
                    self.perform()
                case .lookUpFolders:
                    self.session.foldersLookedUp([:])
                    self.perform()
                case .loadSubscriptions:
                    let start = StallMeter.now
                    self.session.subscriptionsLoaded(self.choices)
                    self.meter.add(since: start)
                    self.perform()
                case .readLater:
                    self.waits = true
                default:
                    continue
                }
            }
        }

        mutating func client(_ text: String) {
            self.session.clientOctetsReceived(ByteBuffer(string: text), at: Fixture.now)
            self.perform()
        }

        /// Delivers a server's text in pieces of the size of a socket read.
        mutating func server(_ account: AccountID, _ text: String) {
            var octets = ByteBuffer(string: text)
            while let piece = octets.readSlice(length: min(65_536, octets.readableBytes)),
                piece.readableBytes > 0
            {
                let start = StallMeter.now
                self.session.upstreamOctetsReceived(account, octets: piece, at: Fixture.now)
                self.meter.add(since: start)
                self.perform()
                while self.lines.isEmpty, self.waits { self.resumeReading() }
            }
        }

        mutating func resumeReading() {
            self.waits = false
            let start = StallMeter.now
            self.session.resumeReading(at: Fixture.now)
            self.meter.add(since: start)
            self.perform()
        }

        mutating func revoke(_ changed: Fixture) {
            self.session.snapshotChanged(changed.snapshot, at: Fixture.now)
            self.perform()
        }
    }

    private static func answer(_ tag: String, _ count: Int, _ delimiter: String = "/") -> String {
        (0..<count).map { number in
            "* LIST () \"\(delimiter)\" Projects\(delimiter)\(number % 40)\(delimiter)\(number)\r\n"
        }.joined() + "\(tag) OK x\r\n"
    }

    @Test func `60,000 folders are listed without blocking the event loop`() {
        var bench = Bench(Fixture(), opening: 1)
        let patterns = (0..<15).map { "x\($0)*" }.joined(separator: " ")
        bench.client("a LIST \"\" (\(patterns) *) RETURN (SUBSCRIBED)\r\n")
        bench.server(1, Self.answer(bench.tag, 60_000))
        bench.server(1, "\(bench.tag) OK x\r\n")
        while bench.waits { bench.resumeReading() }
        #expect(bench.lines.count == 60_000 + 41 + 1)
        #expect(bench.lines.last == "a OK LIST completed")
        #expect(!bench.meter.isOverLimit, "\(bench.meter.longest) ms")
    }

    @Test func `SELECT of one of 60,000 shared folders does not block the event loop`() throws {
        var fixture = Fixture()
        try fixture.configure("grant bob account lr")
        var bench = Bench(fixture, opening: 2)
        bench.client("a SELECT Projects/5/5\r\n")
        bench.server(2, Self.answer(bench.tag, 60_000, "."))
        #expect(bench.lines == [])
        bench.server(2, "\(bench.tag) OK x\r\n")
        #expect(bench.lines == ["a OK [READ-ONLY] SELECT completed"])
        bench.client("b LIST \"\" *\r\n")
        bench.server(2, Self.answer(bench.tag, 60_000, "."))
        while bench.waits { bench.resumeReading() }
        #expect(bench.lines.count == 1 + 60_000 + 41 + 1)
        #expect(!bench.meter.isOverLimit, "\(bench.meter.longest) ms")
    }

    @Test func `60,000 shared folders with identifiers do not block the event loop`() throws {
        var fixture = Fixture()
        try fixture.configure("grant bob account lr")
        try fixture.configure("capabilities bob IMAP4REV1 OBJECTID LIST-STATUS LIST-EXTENDED")
        var bench = Bench(fixture, opening: 2)
        bench.client("a SELECT Projects.5.5\r\nb SELECT Projects/5/5\r\n")
        // Each mailbox has two names.
        let answer = (0..<40_000).map { number in
            "* LIST () \".\" F\(number)\r\n* STATUS F\(number) (MAILBOXID (M\(number / 2)))\r\n"
        }.joined()
        bench.server(2, answer + "\(bench.tag) OK x\r\n")
        #expect(bench.lines.first == "a NO [NONEXISTENT] No such mailbox")
        #expect(!bench.meter.isOverLimit, "\(bench.meter.longest) ms")
    }

    /// The user has unsubscribed from every tenth folder.
    @Test(arguments: ["LSUB \"\" \"Other Users/*\"", "LIST (SUBSCRIBED) \"\" \"Other Users/*\""])
    func `60,000 shared folders are listed as subscribed without blocking the event loop`(
        line: String
    ) throws {
        var fixture = Fixture()
        try fixture.configure("grant bob account lr")
        var bench = Bench(fixture, opening: nil)
        let unsubscribed = try stride(from: 0, to: 60_000, by: 10).map { number in
            let path = Array("Projects/\(number % 40)/\(number)".utf8)
            let folder = try #require(FolderPath(octets: path))
            return Subscription(account: 2, folder: folder, isSubscribed: false)
        }
        bench.choices = SubscriptionChoices(unsubscribed)
        bench.client("a \(line)\r\n")
        bench.server(2, Self.answer(bench.tag, 60_000, "."))
        while bench.waits { bench.resumeReading() }
        #expect(bench.lines.count == 54_000 + 1)
        #expect(!bench.meter.isOverLimit, "\(bench.meter.longest) ms")
    }

    @Test
    func `60,000 subscribed names without folders are listed without blocking the event loop`() {
        var bench = Bench(Fixture(), opening: nil)
        bench.client("a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (* %)\r\n")
        bench.server(1, "* LIST () \"/\" INBOX\r\n\(bench.tag) OK x\r\n")
        let answer = Self.answer(bench.tag, 60_000).replacing("* LIST", with: "* LSUB")
        bench.server(1, answer)
        while bench.waits { bench.resumeReading() }
        #expect(bench.lines.count == 60_000 + 1)
        let first =
            "* LIST (\\NonExistent \\Noselect \\Subscribed \\HasNoChildren) \"/\" Projects/0/0"
        #expect(bench.lines.first == first)
        #expect(!bench.meter.isOverLimit, "\(bench.meter.longest) ms")
    }

    @Test func `no further lines are written until the session's next turn`() throws {
        var bench = Bench(Fixture(), opening: 1)
        bench.client("a LIST \"\" *\r\n")
        bench.server(1, Self.answer(bench.tag, 5_000))
        let first = bench.lines.count
        #expect(first > 0 && first < 500)
        // No other event writes lines: only the session's own turn does.
        bench.client("b NOOP\r\n")
        #expect(bench.lines.count == first)
        bench.resumeReading()
        #expect(bench.lines.count > first && bench.lines.count < 2 * 500)
        while bench.waits { bench.resumeReading() }
        #expect(bench.lines.suffix(2) == ["a OK LIST completed", "b OK NOOP completed"])
        #expect(Set(bench.lines).count == bench.lines.count)
    }

    @Test func `folders that are revoked during an answer are not in the rest of it`() throws {
        var fixture = Fixture()
        try fixture.configure("grant bob subtree:Projects lr")
        var bench = Bench(fixture, opening: 2)
        bench.client("a LIST \"\" *\r\n")
        bench.server(2, Self.answer(bench.tag, 5_000, "."))
        let before = bench.lines
        #expect(before.last?.hasPrefix("* LIST") ?? false)
        var changed = Fixture()
        try changed.configure("grant bob folder:Projects/7/4967 lr")
        bench.revoke(changed)
        while bench.waits { bench.resumeReading() }
        let after = bench.lines.dropFirst(before.count)
        #expect(
            after == [
                "* LIST (\\NonExistent \\Noselect \\HasChildren) \"/\" Projects/7",
                "* LIST (\\HasNoChildren) \"/\" Projects/7/4967", "a OK LIST completed",
            ]
        )
    }

    @Test func `a change of other grants does not restart the answer`() throws {
        var fixture = Fixture()
        try fixture.configure("grant bob subtree:Projects lr")
        var bench = Bench(fixture, opening: 2)
        bench.client("a LIST \"\" *\r\n")
        bench.server(2, Self.answer(bench.tag, 5_000, "."))
        try fixture.configure("grant clara account lr")
        var turns = 0
        while bench.waits {
            bench.revoke(fixture)
            bench.resumeReading()
            turns += 1
        }
        // The folders and their parents, the empty INBOX, and the tagged line.
        #expect(bench.lines.count == 5_000 + 41 + 1 + 1 && turns < 500)
        #expect(Set(bench.lines).count == bench.lines.count)
    }

    @Test func `names are sorted for any order of insertion`() {
        var order = NameOrder()
        var names = (0..<3_000).map { Array("\($0 * 7_919 % 3_001)/x".utf8) }
        names += [Array("INBOX".utf8), Array("A".utf8), Array("INBOX/a".utf8)]
        for name in names { order.insert(name) }
        var taken: [[UInt8]] = []
        while let name = order.popFirst() { taken.append(name) }
        #expect(taken.first == Array("INBOX".utf8))
        let rest = names.filter { $0 != Array("INBOX".utf8) }
        #expect(Array(taken.dropFirst()) == rest.sorted { $0.lexicographicallyPrecedes($1) })
    }
}
