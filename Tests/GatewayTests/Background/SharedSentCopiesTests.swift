import Access
import Foundation
import NIOCore
import NIOEmbedded
import NIOPosix
import Store
import Support
import Testing

@testable import Gateway

/// Copies of a node that another one may have taken over: what the mail server gets.
@Suite struct SharedSentCopiesTests {
    private struct Bench {
        let server: FakeMailServer
        let shared: SharedFixture
        let one: PermissionStore
        let other: PermissionStore
        let copies: SentCopies
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        /// The name of the copy without suffix.
        let name: String

        /// - Parameter settleTime: Until the copies of an earlier run are filed.
        init(settleTime: TimeAmount) async throws {
            self.server = try await FakeMailServer()
            self.shared = try SharedFixture(port: self.server.port)
            self.one = try self.shared.node("one")
            self.other = try self.shared.node("other")
            let upstream = try UpstreamFixture.services(self.shared.fixture)
            self.copies = SentCopies(
                store: self.one,
                settleTime: settleTime,
                writer: self.shared.fixture.background,
                log: upstream.serverLog,
                logger: self.shared.fixture.log.logger
            )
            self.name = "\(try self.shared.fixture.account("anna").rawValue).x"
        }

        private static let message = "Message-ID: <a@x.example>\r\n\r\nText\r\n"

        func file(_ suffix: String) -> URL {
            self.copies.folder.appendingPathComponent("\(self.name).\(suffix)")
        }

        /// A copy of an earlier run, which is in the database.
        func put() throws {
            try FileManager.default.createDirectory(
                at: self.copies.folder,
                withIntermediateDirectories: true
            )
            try Data(Self.message.utf8).write(to: self.file("eml"))
            try Data().write(to: self.file("shared"))
            let copy = StoredSentCopy(
                name: self.name,
                account: try self.shared.fixture.account("anna"),
                octets: UInt64(Self.message.utf8.count),
                messageID: nil
            )
            try self.one.storeSentCopy(copy, from: self.file("eml"))
            #expect(try self.one.confirmSentCopy(self.name) == .own)
        }

        func start(_ permissions: CurrentPermissions? = nil) throws {
            let services = try UpstreamFixture.services(
                self.shared.fixture,
                permissions: permissions
            )
            self.copies.start(services, on: self.loop)
        }

        /// Waits for an attempt that begins until the database has answered.
        func settle(_ attempts: NIOAsyncTestingEventLoop) async throws {
            let sharing = try #require(self.copies.sharing)
            for writer in [self.shared.fixture.background, sharing.writer] {
                await withCheckedContinuation { done in writer.submit { done.resume() } }
                await attempts.run()
            }
        }

        var names: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: self.copies.folder.path)) ?? [])
                .sorted()
        }

        func wait(until isDone: () -> Bool) async throws {
            while !isDone() { try await Task.sleep(for: .milliseconds(10)) }
        }

        func stop() async throws {
            self.copies.stop()
            try await self.shared.fixture.stop()
            try await self.copies.sharing?.stop()
            try await self.server.stop()
        }
    }

    @Test func `a copy that is still the node's is filed, and its name stays`() async throws {
        let bench = try await Bench(settleTime: .zero)
        try bench.put()
        try bench.start()
        try await bench.wait { bench.names.isEmpty }
        #expect(bench.server.messages.count == 1)
        #expect(try bench.one.ownSentCopies().isEmpty)
        #expect(try bench.one.confirmSentCopy(bench.name) == .other)
        try await bench.stop()
    }

    @Test func `a copy that was taken over is dropped, and the server is not asked`() async throws {
        let bench = try await Bench(settleTime: .zero)
        try bench.put()
        _ = try bench.shared.takeOver(bench.other)
        try bench.start()
        try await bench.wait { bench.names.isEmpty }
        #expect(bench.server.connections == 0)
        #expect(try bench.other.ownSentCopies().map(\.name) == [bench.name])
        try await bench.stop()
    }

    /// The node is paused while it sends the message.
    @Test func `the end of an APPEND is not sent after the copy was taken over`() async throws {
        let bench = try await Bench(settleTime: .hours(1))
        try bench.put()
        try bench.start()
        let copy = try #require(SentCopies.waiting(bench.file("eml")))
        _ = try bench.shared.takeOver(bench.other)
        bench.copies.send(copy, on: bench.loop, attempt: 0)
        try await bench.wait {
            bench.shared.fixture.log.count("cannot file a sent copy; the gateway tries again") > 0
        }
        #expect(bench.server.commands.contains { $0.hasPrefix("SELECT") })
        #expect(bench.server.messages == [])
        #expect(
            bench.shared.fixture.log.all.contains { $0.contains("the database does not permit it") }
        )
        try await bench.stop()
    }

    /// An hour is for mail servers that cannot be used.
    @Test(arguments: [false, true])
    func `after an outage of the database the copy is tried within half a minute`(
        isDenied: Bool
    ) async throws {
        let bench = try await Bench(settleTime: .hours(1))
        let permissions = try bench.shared.fixture.permissions()
        try bench.put()
        try bench.start(permissions)
        let copy = try #require(SentCopies.waiting(bench.file("eml")))
        let loop = NIOAsyncTestingEventLoop()
        permissions.restrict(.store, isInForce: true)
        if isDenied {
            bench.copies.denied(copy, target: nil, loop: loop, attempt: 2)
        } else {
            bench.copies.file(copy, on: loop, attempt: 0)
        }
        try await bench.settle(loop)
        for _ in 0..<3 {
            await loop.advanceTime(by: .seconds(30))
            try await bench.settle(loop)
        }
        _ = try bench.shared.takeOver(bench.other)
        permissions.restrict(.store, isInForce: false)
        await loop.advanceTime(by: .seconds(30))
        try await bench.settle(loop)
        #expect(bench.shared.fixture.log.count("a sent copy is dropped here") == 1)
        try await bench.stop()
    }
}
