import Access
import IMAP
import NIOCore
import Support
import Testing

@testable import Session

/// Large answers to LIST: written in pieces, as the client takes them, by the permissions in force.
@Suite(.serialized) struct ListAnswerTests {
    /// Anna's session, and her server's answers to LIST.
    private struct Bench {
        private(set) var session: ClientSession
        private(set) var meter = StallMeter()
        private(set) var lines: [String] = []
        private(set) var waits = false
        private(set) var tag = ""
        let fixture: Fixture
        /// What Anna decided about the subscriptions of Bob's folders.
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

        /// In reads of a socket.
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

    @Test func `60,000 folders are listed without holding the loop`() {
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

    @Test func `SELECT of a folder among 60,000 shared ones does not hold the loop`() throws {
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

    @Test func `60,000 shared folders with identifiers do not hold the loop`() throws {
        var fixture = Fixture()
        try fixture.configure("grant bob account lr")
        try fixture.configure("capabilities bob IMAP4REV1 OBJECTID LIST-STATUS LIST-EXTENDED")
        var bench = Bench(fixture, opening: 2)
        bench.client("a SELECT Projects.5.5\r\nb SELECT Projects/5/5\r\n")
        // Two names for each mailbox.
        let answer = (0..<40_000).map { number in
            "* LIST () \".\" F\(number)\r\n* STATUS F\(number) (MAILBOXID (M\(number / 2)))\r\n"
        }.joined()
        bench.server(2, answer + "\(bench.tag) OK x\r\n")
        #expect(bench.lines.first == "a NO [NONEXISTENT] No such mailbox")
        #expect(!bench.meter.isOverLimit, "\(bench.meter.longest) ms")
    }

    /// A user who unsubscribed from every tenth of them.
    @Test(arguments: ["LSUB \"\" \"Other Users/*\"", "LIST (SUBSCRIBED) \"\" \"Other Users/*\""])
    func `60,000 shared folders are subscribed without holding the loop`(line: String) throws {
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

    @Test func `60,000 subscribed names without folders are listed without holding the loop`() {
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

    @Test func `the lines of a client that does not read are not written`() throws {
        var bench = Bench(Fixture(), opening: 1)
        bench.client("a LIST \"\" *\r\n")
        bench.server(1, Self.answer(bench.tag, 5_000))
        let first = bench.lines.count
        #expect(first > 0 && first < 500)
        // Whatever else happens: only its own turn brings more.
        bench.client("b NOOP\r\n")
        #expect(bench.lines.count == first)
        bench.resumeReading()
        #expect(bench.lines.count > first && bench.lines.count < 2 * 500)
        while bench.waits { bench.resumeReading() }
        #expect(bench.lines.suffix(2) == ["a OK LIST completed", "b OK NOOP completed"])
        #expect(Set(bench.lines).count == bench.lines.count)
    }

    @Test func `what is revoked in the middle of an answer is not in the rest of it`() throws {
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

    @Test func `a change that concerns nothing listed does not begin the answer anew`() throws {
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
        // The folders and what is above them, an INBOX of the gateway's, and the tagged line.
        #expect(bench.lines.count == 5_000 + 41 + 1 + 1 && turns < 500)
        #expect(Set(bench.lines).count == bench.lines.count)
    }

    @Test func `names come in their order, whatever order they are inserted in`() {
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
