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
    private typealias Bench = SentCopySharingBench

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
        #expect(try await other.begin("1.a", generation: 1) == .file)
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

    @Test func `a copy that was dropped before its turn is not remembered`() async throws {
        let bench = try Bench()
        #expect(try await !bench.share("1.a"))
        #expect(bench.sharing.state.withLock { $0.known.isEmpty })
        try await bench.stop()
    }

    @Test(arguments: [false, true])
    func `another node that took a filed copy over learns that it was filed`(
        isLate: Bool
    ) async throws {
        let one = try Bench()
        let other = try Bench(one.shared, node: "other")
        try await one.send("1.a")
        #expect(try await one.begin("1.a") == .file)
        #expect(try await one.confirm("1.a"))
        _ = try one.shared.takeOver(other.store)
        one.permissions.restrict(.store, isInForce: isLate)
        await one.finish("1.a")
        one.permissions.restrict(.store, isInForce: false)
        try await one.poll()
        #expect(one.names == [])
        #expect(try other.store.ownSentCopies().isEmpty)
        #expect(try other.store.confirmSentCopy("1.a") == .other)
        try await one.stop()
        try await other.stop()
    }

    @Test func `a permission is valid from the question on, however long it waited`() async throws {
        let bench = try Bench()
        try await bench.send("1.a")
        #expect(try await bench.begin("1.a") == .file)
        bench.sharing.writer.submit {
            Thread.sleep(forTimeInterval: NodeLeases.validity / .seconds(1) + 0.2)
        }
        #expect(try await bench.confirm("1.a"))
        try await bench.stop()
    }
}
