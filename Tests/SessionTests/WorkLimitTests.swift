import Access
import IMAP
import NIOCore
import Support
import Testing

@testable import Session

/// Short inputs that would cause much work: the work is bounded, and no event blocks the event loop.
@Suite(.serialized) struct WorkLimitTests {
    private static let notify =
        (["anna", "bob", "info", "clara"].map {
            "capabilities \($0) IMAP4rev1 LITERAL+ UNSELECT NOTIFY"
        })
        + ["grant bob account lr"]

    /// A NOTIFY that watches only subscribed mailboxes.
    private static let notifyChosen = Self.notify + ["subscribeShared off"]

    private static func subscriptions(
        _ count: Int,
        octets: Int,
        of account: AccountID = 2,
        isSubscribed: Bool = true
    ) throws -> Set<Subscription> {
        Set(
            try (0..<count).map { number in
                let name = "\(number)-" + String(repeating: "x", count: octets - 10)
                let folder = try #require(FolderPath(octets: Array(name.utf8)))
                return Subscription(account: account, folder: folder, isSubscribed: isSubscribed)
            }
        )
    }

    @Test func `a watch of more subscriptions than a session may keep is refused`() throws {
        var bench = try AttackHarness(state: "in", with: Self.notifyChosen)
        bench.subscriptions = try Self.subscriptions(1_999, octets: 1_900)
        bench.send(
            Array("A1 NOTIFY SET (subscribed (MessageNew MessageExpunge))\r\nA2 NOOP\r\n".utf8),
            chunk: .max
        )
        #expect(bench.answer("A1")?.hasPrefix("NO [LIMIT]") ?? false)
        #expect(bench.answer("A2")?.hasPrefix("OK") ?? false)
        #expect(bench.received.isEmpty)
        bench.check()
        #expect(bench.breaches == [])
    }

    /// - Returns: the CPU time of a number of commands while a number of subscriptions is watched.
    private static func timeOfCommands(_ count: Int, watching subscriptions: Int) throws -> UInt64 {
        var bench = try AttackHarness(state: "in", with: Self.notifyChosen)
        bench.subscriptions = try Self.subscriptions(subscriptions, octets: 50)
        let line = "NOTIFY SET (subscribed (MessageNew MessageExpunge))\r\n"
        bench.send(Array("A1 \(line)".utf8), chunk: .max)
        #expect(bench.answer("A1") == "OK NOTIFY completed")
        #expect(bench.received.filter { $0.account == "bob" }.count == 1)
        let before = bench.received.count
        let commands = (0..<count).map {
            "B\($0) STATUS \"Other Users/bob@kanzlei.example/INBOX\" (MESSAGES)"
        }
        let start = StallMeter.now
        bench.send(Array((commands.joined(separator: "\r\n") + "\r\n").utf8), chunk: .max)
        let time = StallMeter.now - start
        #expect(bench.received.count == before + count)
        bench.check()
        #expect(bench.breaches == [])
        return time
    }

    @Test func `a watch of the most subscriptions does not slow down commands`()
        throws
    {
        // The names are not computed again for each command, so the most subscriptions cost as much as ten.
        var ratio = Double.infinity
        for _ in 0..<5 where ratio > 2 {
            let few = try Self.timeOfCommands(250, watching: 10)
            let all = try Self.timeOfCommands(250, watching: 2_000)
            ratio = min(ratio, Double(all) / Double(max(few, 1)))
        }
        #expect(ratio < 3, "each command takes \(ratio) times as long")
    }

    @Test func `subscriptions above the limit end the watch with an untagged response`() throws {
        var bench = try AttackHarness(state: "in", with: Self.notifyChosen)
        bench.subscriptions = try Self.subscriptions(10, octets: 50)
        bench.send(
            Array("A1 NOTIFY SET (subscribed (MessageNew MessageExpunge))\r\n".utf8),
            chunk: .max
        )
        bench.subscriptions = try Self.subscriptions(1_000, octets: 1_900)
        bench.send(
            Array("A2 SUBSCRIBE \"Other Users/bob@kanzlei.example/INBOX\"\r\n".utf8),
            chunk: .max
        )
        #expect(bench.answer("A2") == "OK SUBSCRIBE completed")
        #expect(bench.clientText.contains("* OK [NOTIFICATIONOVERFLOW]"))
        #expect(bench.received.last?.line == "NOTIFY NONE")
    }

    @Test func `a watch that would exclude too many folders is refused`() throws {
        var bench = try AttackHarness(state: "in", with: Self.notify)
        bench.subscriptions = try Self.subscriptions(100, octets: 1_900, isSubscribed: false)
        let line = "NOTIFY SET (subscribed (MessageNew MessageExpunge))\r\n"
        bench.send(Array("A1 \(line)A2 NOOP\r\n".utf8), chunk: .max)
        #expect(bench.answer("A1")?.hasPrefix("NO [LIMIT]") ?? false)
        #expect(bench.answer("A2")?.hasPrefix("OK") ?? false)
        // A SUBSCRIBE of a folder that is already subscribed, as shared ones are, adds nothing.
        bench.subscriptions = try Self.subscriptions(1_999, octets: 1_900)
        bench.send(Array("A3 \(line)".utf8), chunk: .max)
        #expect(bench.answer("A3") == "OK NOTIFY completed")
        // Nor do subscriptions in an account that the user cannot see.
        bench.subscriptions = try Self.subscriptions(1_999, octets: 1_900, of: 4)
        bench.send(Array("A4 \(line)".utf8), chunk: .max)
        #expect(bench.answer("A4") == "OK NOTIFY completed")
        bench.check()
        #expect(bench.breaches == [])
    }

    /// A user who can see a thousand accounts, among as many others.
    private static func crowd() throws -> (snapshot: Snapshot, accounts: [AccountID]) {
        let anna = try #require(Address("anna@kanzlei.example".utf8))
        let accounts = try (1...2_000).map { number in
            Account(
                id: AccountID(Int64(number)),
                address: try #require(Address("a\(number)@kanzlei.example".utf8)),
                kind: .imap,
                owner: nil
            )
        }
        let folders = try (0..<40).map { try #require(FolderPath(octets: Array("x\($0)".utf8))) }
        let grants = accounts.enumerated().flatMap { index, account in
            folders.enumerated().map { number, folder in
                Grant(
                    id: Int64(index * 40 + number),
                    account: account.id,
                    subject: .user(UserID(index < 1_000 && number == 0 ? 1 : Int64(2 + number))),
                    rights: .all,
                    scope: .folder(folder),
                    source: .local
                )
            }
        }
        let snapshot = Snapshot(
            revision: 1,
            users: [User(id: UserID(1), login: anna)],
            groups: [],
            accounts: accounts,
            grants: grants,
            withdrawals: [],
            walls: []
        )
        return (snapshot, accounts.map(\.id))
    }

    @Test func `a change of the store costs a session only the work for its user`() throws {
        let (snapshot, accounts) = try Self.crowd()
        var session = ClientSession(snapshot: snapshot, hasTLS: true, at: Fixture.now)
        session.clientOctetsReceived(
            ByteBuffer(string: "a LOGIN anna@kanzlei.example pw\r\n"),
            at: Fixture.now
        )
        let profile = UpstreamProfile(
            capabilities: ["IMAP4REV1", "LITERAL+", "NOTIFY"],
            delimiter: UInt8(ascii: "/")
        )
        session.authenticationFinished(
            .accepted(
                UserID(1),
                account: nil,
                profiles: Dictionary(uniqueKeysWithValues: accounts.map { ($0, .some(profile)) })
            )
        )
        #expect(session.namespace.views.count == 1_000)
        let names = (1...200).map { "\"Shared/a\($0)@kanzlei.example/x0\"" }.joined(separator: " ")
        var meter = StallMeter()
        for line in [
            "b NOTIFY SET (selected (MessageNew MessageExpunge))", "c CAPABILITY",
            "d NOTIFY SET (mailboxes (\(names)) (MessageNew MessageExpunge))",
            "e SELECT \"Shared/a7@kanzlei.example/x1\"",
        ] {
            let start = StallMeter.now
            session.clientOctetsReceived(ByteBuffer(string: line + "\r\n"), at: Fixture.now)
            meter.add(since: start)
        }
        let start = StallMeter.now
        session.snapshotChanged(snapshot, at: Fixture.now)
        meter.add(since: start)
        #expect(!meter.isOverLimit, "\(meter.longest) ms")
    }

    @Test func `a LIST of a thousand accounts begins without copying their data`() throws {
        let (snapshot, accounts) = try Self.crowd()
        var session = ClientSession(snapshot: snapshot, hasTLS: true, at: Fixture.now)
        session.clientOctetsReceived(
            ByteBuffer(string: "a LOGIN anna@kanzlei.example pw\r\n"),
            at: Fixture.now
        )
        let profile = UpstreamProfile(capabilities: ["IMAP4REV1"], delimiter: UInt8(ascii: "/"))
        session.authenticationFinished(
            .accepted(
                UserID(1),
                account: nil,
                profiles: Dictionary(uniqueKeysWithValues: accounts.map { ($0, .some(profile)) })
            )
        )
        var meter = StallMeter()
        let start = StallMeter.now
        session.clientOctetsReceived(ByteBuffer(string: "b LIST \"\" *\r\n"), at: Fixture.now)
        session.foldersLookedUp([:])
        meter.add(since: start)
        #expect(session.upstreams.count == 1_000)
        #expect(!meter.isOverLimit, "\(meter.longest) ms")
    }
}
