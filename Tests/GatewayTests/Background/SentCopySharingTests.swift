import Access
import Foundation
import NIOCore
import NIOPosix
import Store
import Support
import Synchronization
import Testing

@testable import Gateway

/// Copies in a database and in this node's folder: what each of them has after every step.
@Suite struct SentCopySharingTests {
    private final class Bench: Sendable {
        let shared: SharedFixture
        let store: PermissionStore
        let folder: URL
        let permissions: CurrentPermissions
        let sharing: SentCopySharing
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let adopted = Mutex<[String]>([])

        init(_ shared: SharedFixture? = nil, node: String = "one") throws {
            let shared = try shared ?? SharedFixture()
            self.shared = shared
            self.store = try shared.node(node)
            self.folder = shared.fixture.folder.url.appendingPathComponent("sent-\(node)")
            try FileManager.default.createDirectory(
                at: self.folder,
                withIntermediateDirectories: true
            )
            self.permissions = try shared.fixture.permissions()
            self.sharing = SentCopySharing(
                store: self.store,
                folder: self.folder,
                logger: shared.fixture.log.logger
            )
            self.sharing.start(self.permissions)
        }

        func copy(_ name: String) throws -> StoredSentCopy {
            StoredSentCopy(
                name: name,
                account: try self.shared.fixture.account("anna"),
                octets: 6,
                messageID: nil
            )
        }

        func file(_ name: String) -> URL { self.folder.appendingPathComponent(name) }

        func write(_ name: String) throws { try Data("octets".utf8).write(to: self.file(name)) }

        var names: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: self.folder.path)) ?? [])
                .sorted()
        }

        func share(_ name: String) async throws -> Bool {
            let copy = try self.copy(name)
            return try await answer {
                self.sharing.share([copy], suffix: "unsent", on: self.loop, done: $0)
            }
        }

        /// A message went out, and its copy waits.
        func send(_ name: String) async throws {
            try self.write("\(name).unsent")
            _ = try await self.share(name)
            try FileManager.default.moveItem(
                at: self.file("\(name).unsent"),
                to: self.file("\(name).eml")
            )
            await withCheckedContinuation { done in
                self.sharing.sent([name], on: self.loop) { done.resume() }
            }
        }

        func begin(_ name: String) async throws -> SentCopySharing.Verdict {
            try await answer { self.sharing.begin(name, on: self.loop, answer: $0) }
        }

        func confirm(_ name: String) async throws -> Bool {
            try await answer { self.sharing.confirm(name, on: self.loop, answer: $0) }
        }

        /// Polls, and waits for the end.
        func poll() async throws {
            self.sharing.poll(suffix: "eml") { copy in
                self.adopted.withLock { $0.append(copy.name) }
            }
            _ = try await self.begin("none")
        }

        func finish(_ name: String) async {
            await withCheckedContinuation { done in
                self.sharing.finished(name, file: self.file("\(name).eml")) { done.resume() }
            }
        }

        func stop() async throws { try await self.sharing.stop() }
    }

    @Test func `a copy has a marker and a row before its message goes out, and none at the end`()
        async throws
    {
        let bench = try Bench()
        try bench.write("1.a.unsent")
        #expect(try await bench.share("1.a"))
        #expect(bench.names == ["1.a.shared", "1.a.unsent"])
        #expect(try bench.store.ownSentCopies().isEmpty)
        try await bench.send("1.b")
        #expect(try bench.store.ownSentCopies().map(\.name) == ["1.b"])
        #expect(try await bench.begin("1.b") == .file)
        #expect(try await bench.confirm("1.b"))
        await bench.finish("1.b")
        bench.sharing.drop(["1.a"])
        _ = try await bench.begin("none")
        #expect(bench.names == ["1.a.unsent"])
        #expect(try bench.store.ownSentCopies().isEmpty)
        for name in ["1.a", "1.b"] { #expect(try bench.store.confirmSentCopy(name) == .none) }
        try await bench.stop()
    }

    @Test func `a copy that the database did not take is filed, and stored later`() async throws {
        let bench = try Bench()
        bench.permissions.restrict(.store, isInForce: true)
        try await bench.send("1.a")
        #expect(bench.names == ["1.a.eml"])
        // No other node knows of it, so nobody else files it.
        #expect(try await bench.begin("1.a") == .file)
        #expect(try await bench.confirm("1.a"))
        bench.permissions.restrict(.store, isInForce: false)
        // Not while it is being filed.
        try await bench.poll()
        #expect(try bench.store.ownSentCopies().isEmpty)
        bench.sharing.ended("1.a")
        try await bench.poll()
        #expect(try bench.store.ownSentCopies().map(\.name) == ["1.a"])
        #expect(bench.names == ["1.a.eml", "1.a.shared"])
        #expect(bench.adopted.withLock { $0 } == [])
        try await bench.stop()
    }

    @Test func `a copy that was filed without the database is never filed again`() async throws {
        let bench = try Bench()
        try await bench.send("1.a")
        bench.permissions.restrict(.store, isInForce: true)
        await bench.finish("1.a")
        #expect(bench.names == ["1.a.filed", "1.a.shared"])
        #expect(try bench.store.ownSentCopies().map(\.name) == ["1.a"])
        bench.permissions.restrict(.store, isInForce: false)
        try await bench.poll()
        #expect(bench.names == [] && bench.adopted.withLock { $0 } == [])
        #expect(try bench.store.ownSentCopies().isEmpty)
        try await bench.stop()
    }

    @Test func `a copy with a marker waits for the database`() async throws {
        let bench = try Bench()
        try await bench.send("1.a")
        bench.permissions.restrict(.store, isInForce: true)
        #expect(try await bench.begin("1.a") == .later)
        #expect(try await !bench.confirm("1.a"))
        bench.permissions.restrict(.store, isInForce: false)
        #expect(try await bench.begin("1.a") == .file)
        try await bench.stop()
    }

    @Test func `another node fetches the copies that it took over, once`() async throws {
        let one = try Bench()
        let other = try Bench(one.shared, node: "other")
        for name in ["1.a", "1.b"] { try await one.send(name) }
        #expect(try await one.begin("1.a") == .file)
        _ = try one.shared.takeOver(other.store)
        try await other.poll()
        try await other.poll()
        #expect(other.adopted.withLock { $0 } == ["1.a", "1.b"])
        #expect(other.names == ["1.a.eml", "1.a.shared", "1.b.eml", "1.b.shared"])
        #expect(try Data(contentsOf: other.file("1.b.eml")) == Data("octets".utf8))
        // The first node was only paused, in the middle of an APPEND.
        #expect(try await !one.confirm("1.a"))
        #expect(try await one.begin("1.b") == .lost)
        #expect(try await other.begin("1.a") == .file)
        #expect(try await other.confirm("1.a"))
        await other.finish("1.a")
        #expect(try await one.begin("1.a") == .lost)
        await withCheckedContinuation { done in
            one.sharing.lost("1.a", file: one.file("1.a.eml")) { done.resume() }
        }
        #expect(one.names == ["1.b.eml", "1.b.shared"])
        // The other one is dropped without an attempt.
        try await one.poll()
        #expect(one.names == [] && one.adopted.withLock { $0 } == [])
        #expect(try other.store.ownSentCopies().map(\.name) == ["1.b"])
        try await one.stop()
        try await other.stop()
    }

    @Test func `copies that an older state brings back are fetched again`() async throws {
        let bench = try Bench()
        try await bench.send("1.a")
        await bench.finish("1.a")
        let copy = try bench.copy("1.a")
        // As if the deletion were lost.
        try bench.write("message")
        try bench.store.storeSentCopy(copy, from: bench.file("message"))
        #expect(try bench.store.confirmSentCopy("1.a") == .own)
        try await bench.poll()
        #expect(bench.adopted.withLock { $0 } == ["1.a"])
        try await bench.stop()
    }

    @Test func `a copy that an older database does not know is filed, and stored again`()
        async throws
    {
        let bench = try Bench()
        try await bench.send("1.a")
        try bench.store.removeSentCopy("1.a")
        #expect(try await bench.begin("1.a") == .fileAgain)
        #expect(bench.names == ["1.a.eml"])
        #expect(try await bench.confirm("1.a"))
        bench.sharing.ended("1.a")
        try await bench.poll()
        #expect(try bench.store.ownSentCopies().map(\.name) == ["1.a"])
        #expect(bench.names == ["1.a.eml", "1.a.shared"])
        #expect(try await bench.begin("1.a") == .file)
        try await bench.stop()
    }

    @Test func `a marker from an earlier run decides whether the database is asked`() async throws {
        let first = try Bench()
        try await first.send("1.a")
        try await first.stop()
        first.store.close()
        let other = try Bench(first.shared, node: "other")
        _ = try first.shared.takeOver(other.store)
        // The next run of the first node.
        let second = try Bench(first.shared)
        try second.write("1.b.eml")
        for name in ["1.a", "1.b"] { second.sharing.found(try second.copy(name)) }
        #expect(try await second.begin("1.b") == .file)
        while try await second.begin("1.a") == .later {
            // The name becomes free.
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(try await second.begin("1.a") == .lost)
        try await second.stop()
        try await other.stop()
    }
}
