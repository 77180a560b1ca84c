import Access
import Foundation
import NIOCore
import NIOEmbedded
import NIOPosix
import Session
import Store
import Support
import Synchronization
import Testing

@testable import Gateway

/// The folder in which copies of sent messages wait, as a gateway finds it that was ended at any moment.
@Suite struct SentCopiesTests {
    private static func spool() throws -> (folder: TemporaryFolder, store: String) {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("sent"),
            withIntermediateDirectories: true
        )
        return (folder, folder.path("gatepost.sqlite"))
    }

    @Test func `the folder is beside the store`() {
        #expect(SentCopies.folder(store: "/var/lib/gatepost.sqlite").path == "/var/lib/sent")
    }

    /// A name, and the account that the copy is for; nil for what is no complete copy.
    @Test(
        arguments: [
            ("7.0F6B.eml", 7), ("7.0F6B.own.eml", 7), ("9223372036854775807.x.eml", Int64.max),
            ("0F6B.part", nil), ("7.0F6B.part", nil), ("7.0F6B.unsent", nil),
            ("7.0F6B.unknown", nil), ("x.0F6B.eml", nil), (".eml", nil),
            ("7", nil), ("7.eml.bak", nil), ("9223372036854775808.x.eml", nil),
            ("-1.x.eml", -1),
        ] as [(String, Int64?)]
    )
    func `the name of a copy contains its account`(name: String, account: Int64?) throws {
        let (folder, _) = try Self.spool()
        let path = try folder.write("Message-ID: <a@b>\r\n\r\nx", as: "sent/\(name)")
        let waiting = SentCopies.waiting(URL(fileURLWithPath: path))
        #expect(waiting?.account.rawValue == account)
        guard let waiting else { return }
        #expect(waiting.octets == 22)
        // Only in an account of the sender's own may another message stand for it.
        let isOwn = name.contains(".own.")
        #expect(waiting.messageID.map { String(buffer: $0) } == (isOwn ? "<a@b>" : nil))
    }

    @Test(
        arguments: [
            ("Message-ID: <a@b.example>\r\n\r\nx", "<a@b.example>"),
            ("Subject: x\r\nmessage-id:\t<c@d.example>\r\n\r\n", "<c@d.example>"),
            ("Subject: x\r\n\r\nMessage-ID: <in@body>\r\n", nil), ("", nil), ("\r\n", nil),
            ("no header at all", nil), ("Message-ID: <a@b>", nil),
            ("Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n\r\n", nil),
        ] as [(String, String?)]
    )
    func `the Message-ID is read from the header`(text: String, messageID: String?) throws {
        let (folder, _) = try Self.spool()
        let path = try folder.write(text, as: "sent/7.x.own.eml")
        let found = SentCopies.messageID(of: URL(fileURLWithPath: path))
        #expect(found.map { String(buffer: $0) } == messageID)
    }

    @Test func `an unreadable copy has no Message-ID, and does not trap`() {
        let file = URL(fileURLWithPath: "/nowhere/7.x.own.eml")
        #expect(SentCopies.messageID(of: file) == nil)
        let waiting = SentCopies.waiting(file)
        #expect(waiting?.octets == 0 && waiting?.messageID == nil)
    }

    @Test func `doctor sees complete copies that wait for longer than a filing takes`()
        throws
    {
        let (folder, store) = try Self.spool()
        let old = try folder.write("x", as: "sent/1.a.eml")
        try folder.write("x", as: "sent/1.b.eml")
        let part = try folder.write("x", as: "sent/c.part")
        for path in [old, part] {
            try FileManager.default.setAttributes(
                [.modificationDate: Date().addingTimeInterval(-SentCopies.waitingTime - 60)],
                ofItemAtPath: path
            )
        }
        #expect(SentCopies.waiting(store: store) == [old])
        #expect(SentCopies.waiting(store: "/nowhere/gatepost.sqlite") == [])
    }

    // MARK: - The next start

    private static func start(
        _ fixture: StoreFixture,
        _ names: [String]
    ) async throws -> (SentCopies, NIOAsyncTestingEventLoop) {
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appendingPathComponent("sent"),
            withIntermediateDirectories: true
        )
        for name in names { try fixture.folder.write("Subject: x\r\n\r\nx", as: "sent/\(name)") }
        let upstream = try UpstreamFixture.services(fixture)
        let copies = SentCopies(
            store: fixture.store,
            settleTime: .milliseconds(10),
            writer: fixture.background,
            log: upstream.serverLog,
            logger: fixture.log.logger
        )
        let loop = NIOAsyncTestingEventLoop()
        copies.start(upstream, on: loop)
        return (copies, loop)
    }

    @Test func `incomplete copies of an earlier run are removed, and their number is logged`()
        async throws
    {
        let fixture = try StoreFixture([])
        let (copies, loop) = try await Self.start(fixture, ["a.part", "b.part", "readme.txt"])
        #expect(fixture.folder.names(in: "sent") == ["readme.txt"])
        #expect(fixture.log.all.filter { $0.contains("messages=2") }.count == 1)
        copies.stop()
        try await fixture.stop()
        await loop.shutdownGracefully()
    }

    @Test func `a copy whose server had not answered is kept, named in the log, and not filed`()
        async throws
    {
        let fixture = try StoreFixture(["anna"])
        let account = try fixture.account("anna")
        let name = "\(account.rawValue).x"
        try FileManager.default.createDirectory(
            at: fixture.folder.url.appendingPathComponent("sent"),
            withIntermediateDirectories: true
        )
        try fixture.folder.write("Message-ID: <a@b.example>\r\n\r\nx", as: "sent/\(name).unsent")
        for _ in 0..<2 {
            let (copies, loop) = try await Self.start(fixture, [])
            await loop.advanceTime(by: .hours(2))
            await fixture.drain()
            #expect(fixture.folder.names(in: "sent") == ["\(name).unknown"])
            // It takes room until somebody decides.
            #expect(copies.space.extend([account], by: Int(1) << 30) == false)
            copies.stop()
            await loop.shutdownGracefully()
        }
        let lines = fixture.log.all.filter { $0.contains("message-id=<a@b.example>") }
        #expect(lines.count == 1 && lines[0].contains("account=anna@"))
        let unknown = SentCopies.unknown(store: fixture.store.path)
        #expect(unknown.map(\.account) == [account])
        #expect(unknown.map(\.messageID) == ["<a@b.example>"])
        try await fixture.stop()
    }

    @Test func `a message without a copy is named in the log and for doctor`() async throws {
        let fixture = try StoreFixture(["anna"])
        let account = try fixture.account("anna")
        let (copies, loop) = try await Self.start(fixture, [])
        for number in 0..<101 {
            copies.isMissing([account], messageID: ByteBuffer(string: "<\(number)@b.example>"))
        }
        copies.isMissing([AccountID(99)], messageID: nil)
        let missing = copies.missing.withLock { $0 }
        #expect(missing.count == 100)
        #expect(missing.first?.messageID == "<2@b.example>")
        #expect(missing.last?.text == "a message without Message-ID of account 99")
        #expect(missing.first?.account.hasPrefix("anna@") ?? false)
        #expect(
            fixture.log.count("a message was sent, but its copy for Sent could not be stored")
                == 102
        )
        copies.stop()
        try await fixture.stop()
        await loop.shutdownGracefully()
    }

    @Test func `a copy that cannot be marked as sent is reported as missing`() async throws {
        let fixture = try StoreFixture(["anna"])
        let account = try fixture.account("anna")
        let (copies, loop) = try await Self.start(fixture, [])
        try await loop.executeInContext {
            let copy = copies.begin(on: loop)
            copy.append(ByteBuffer(string: "x"))
            copies.keep(
                copy,
                for: [account],
                own: [],
                messageID: ByteBuffer(string: "<a@b.example>")
            ) { _ in }
            copies.writer.submit {
                // Somebody empties the folder.
                for name in fixture.folder.names(in: "sent") {
                    try? FileManager.default.removeItem(
                        at: copies.folder.appendingPathComponent(name)
                    )
                }
            }
            copies.file(copy) {}
        }
        await fixture.drain()
        await loop.run()
        #expect(copies.missing.withLock { $0.map(\.messageID) } == ["<a@b.example>"])
        copies.stop()
        try await fixture.stop()
        await loop.shutdownGracefully()
    }

    @Test func `a copy for a removed account is dropped`() async throws {
        let fixture = try StoreFixture(["anna"])
        let (copies, loop) = try await Self.start(fixture, ["999.a.eml"])
        await loop.advanceTime(by: .seconds(1))
        await fixture.drain()
        #expect(fixture.folder.names(in: "sent") == [])
        #expect(fixture.log.count("a sent copy was dropped, because its account was removed") == 1)
        copies.stop()
        try await fixture.stop()
        await loop.shutdownGracefully()
    }

    @Test func `copies of an earlier run count against the limit`() async throws {
        let fixture = try StoreFixture(["anna"])
        let account = try fixture.account("anna")
        let (copies, loop) = try await Self.start(
            fixture,
            (0..<3).map { "\(account.rawValue).\($0).eml" }
        )
        var rest = 0
        while copies.space.begin([account]) { rest += 1 }
        #expect(rest == SentCopySpace.Limits().copiesPerAccount - 3)
        copies.stop()
        try await fixture.stop()
        await loop.shutdownGracefully()
        // Nothing is lost by the end.
        #expect(fixture.folder.names(in: "sent").count == 3)
    }

    // MARK: - One at a time

    @Test
    func `conversations of one account run one after the other, those of two accounts at once`()
        async throws
    {
        let fixture = try StoreFixture([])
        let (copies, loop) = try await Self.start(fixture, [])
        let order = Order()
        let (first, second) = (AccountID(1), AccountID(2))
        for number in 0..<4 { copies.enqueue(first) { order.add("a\(number)") } }
        copies.enqueue(second) { order.add("b0") }
        #expect(order.all == ["a0", "b0"])
        copies.turnEnded(first)
        #expect(order.all == ["a0", "b0", "a1"])
        copies.turnEnded(second)
        copies.turnEnded(first)
        copies.turnEnded(first)
        copies.turnEnded(first)
        #expect(order.all == ["a0", "b0", "a1", "a2", "a3"])
        // The account is free again.
        copies.enqueue(first) { order.add("a4") }
        #expect(order.all.last == "a4")
        copies.stop()
        try await fixture.stop()
        await loop.shutdownGracefully()
    }

    private final class Order: @unchecked Sendable {
        private(set) var all: [String] = []
        func add(_ text: String) { self.all.append(text) }
    }

    // MARK: - What a filing came to

    private static func waiting(
        _ copies: SentCopies,
        _ account: AccountID,
        _ name: String
    ) -> SentCopies.Waiting {
        SentCopies.Waiting(
            file: copies.folder.appendingPathComponent(name),
            account: account,
            octets: 15,
            messageID: ByteBuffer(string: "<a@b>")
        )
    }

    /// Whether the file goes.
    @Test(
        arguments: [
            (SentFiling.Outcome.filed(nil), true), (.removed, true), (.kept, true),
            (.noSentFolder, false), (.refused, false), (nil, false),
        ] as [(SentFiling.Outcome?, Bool)]
    )
    func `a copy is removed once its message is in Sent, and not before`(
        outcome: SentFiling.Outcome?,
        goes: Bool
    ) async throws {
        let fixture = try StoreFixture(["anna"])
        let account = try fixture.account("anna")
        let name = "\(account.rawValue).x.eml"
        let (copies, loop) = try await Self.start(fixture, [name])
        let target = try fixture.store.load().endpoints[account]
        copies.filed(
            outcome,
            copy: Self.waiting(copies, account, name),
            target: target,
            loop: loop,
            attempt: 0
        )
        await fixture.drain()
        #expect(fixture.folder.names(in: "sent") == (goes ? [] : [name]))
        copies.stop()
        try await fixture.stop()
        await loop.shutdownGracefully()
    }

    @Test func `a filed copy is checked until its last check, or until it is removed`()
        async throws
    {
        let fixture = try StoreFixture(["anna"])
        let account = try fixture.account("anna")
        let (copies, loop) = try await Self.start(fixture, [])
        let filed = (1...3).map {
            FiledCopy(folder: ByteBuffer(string: "Sent"), uidValidity: 1, uid: $0)
        }
        for one in filed {
            copies.filed(
                .filed(one),
                copy: Self.waiting(copies, account, "\(one.uid).eml"),
                target: nil,
                loop: loop,
                attempt: 0
            )
        }
        #expect(copies.filed.withLock { $0[account] } == Set(filed))
        copies.stopChecking(after: filed[0], account: account)
        #expect(copies.filed.withLock { $0[account] } == Set(filed.dropFirst()))
        // The last look was made.
        copies.checkLater(
            filed[1],
            account: account,
            messageID: ByteBuffer(string: "<a@b>"),
            loop: loop,
            check: SentCopies.checks.count
        )
        copies.stopChecking(after: filed[2], account: account)
        #expect(copies.filed.withLock { $0.isEmpty })
        copies.stop()
        try await fixture.stop()
        await loop.shutdownGracefully()
    }
}
