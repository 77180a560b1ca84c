import Foundation
import Store
import Support
import Synchronization
import Testing

@testable import Gateway

/// What is done from time to time with copies that nodes share.
@Suite struct SentCopySharingPollingTests {
    private typealias Bench = SentCopySharingBench

    @Test func `copies whose files are gone do not keep others out of the database`() async throws {
        let bench = try Bench()
        bench.permissions.restrict(.store, isInForce: true)
        for name in (0..<10).map({ "1.\($0)" }) {
            try await bench.send(name)
            if name != "1.3" { try bench.remove("\(name).eml") }
        }
        bench.permissions.restrict(.store, isInForce: false)
        try await bench.poll()
        #expect(try bench.store.ownSentCopies().map(\.name) == ["1.3"])
        try await bench.stop()
    }

    @Test func `a copy that cannot be read does not keep others from being fetched`() async throws {
        let one = try Bench()
        let other = try Bench(one.shared, node: "other")
        // The database lacks a part of the first one.
        try await one.send("1.a", octets: 7)
        try await one.send("1.b")
        _ = try one.shared.takeOver(other.store)
        try await other.poll()
        #expect(other.adopted.withLock { $0 } == ["1.b"])
        #expect(other.names.contains("1.b.eml") && !other.names.contains("1.a.eml"))
        try await one.stop()
        try await other.stop()
    }

    @Test func `large copies are fetched one at a time, and others have their turn`() async throws {
        let one = try Bench()
        let other = try Bench(one.shared, node: "other")
        let octets = 5 * 1_024 * 1_024
        for name in ["1.a", "1.b"] {
            try Data(count: octets).write(to: one.file("\(name).unsent"))
            try await one.sendFile(name, octets: octets)
        }
        _ = try one.shared.takeOver(other.store)
        let seen = Mutex<[Int]>([])
        other.sharing.poll(suffix: "eml") { copy in
            other.adopted.withLock { $0.append(copy.name) }
            other.sharing.writer.submit {
                let count = other.adopted.withLock(\.count)
                seen.withLock { $0.append(count) }
            }
        }
        while seen.withLock(\.count) < 2 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(seen.withLock { $0 } == [1, 2])
        try await one.stop()
        try await other.stop()
    }

    @Test func `an attempt from before the copy was lost ends when the copy is back`() async throws
    {
        let one = try Bench()
        let other = try Bench(one.shared, node: "other")
        try await one.send("1.a")
        _ = try one.shared.takeOver(other.store)
        try await one.poll()
        #expect(one.names == [])
        #expect(try await one.begin("1.a") == .gone)
        _ = try one.shared.takeOver(one.store)
        try await one.poll()
        #expect(one.adopted.withLock { $0 } == ["1.a"])
        #expect(try await one.begin("1.a") == .gone)
        // Its file is not found, but the copy's is there.
        one.sharing.drop(["1.a"])
        let generation = try #require(one.sharing.known("1.a")?.generation)
        #expect(try await one.begin("1.a", generation: generation) == .file)
        try await one.stop()
        try await other.stop()
    }

    /// The other node perhaps filed it before it died.
    @Test func `an APPEND does not end if another node had the copy meanwhile`() async throws {
        let one = try Bench()
        let other = try Bench(one.shared, node: "other")
        try await one.send("1.a")
        #expect(try await one.begin("1.a") == .file)
        _ = try one.shared.takeOver(other.store)
        try await one.poll()
        _ = try one.shared.takeOver(one.store)
        try await one.poll()
        #expect(try await !one.confirm("1.a"))
        one.sharing.ended("1.a")
        #expect(try await one.begin("1.a") == .fileAgain)
        #expect(try await one.confirm("1.a"))
        await one.finish("1.a")
        #expect(try one.store.confirmSentCopy("1.a") == .other)
        try await one.stop()
        try await other.stop()
    }
}
