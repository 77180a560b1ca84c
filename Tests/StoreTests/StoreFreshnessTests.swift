import Foundation
import Testing

@testable import Store

/// The age of the permissions in force.
@Suite struct StoreFreshnessTests {
    private static let start = ContinuousClock.now

    private static func at(_ milliseconds: Int) -> ContinuousClock.Instant {
        self.start + .milliseconds(milliseconds)
    }

    @Test func `a look without a change makes the permissions young`() {
        let freshness = StoreFreshness(limit: .seconds(1))
        #expect(freshness.isCurrent(at: Self.at(9_000_000)))
        freshness.begin(at: Self.at(0))
        #expect(freshness.isCurrent(at: Self.at(1_000)) && !freshness.isCurrent(at: Self.at(1_001)))
        // The look may have read the store when it began.
        freshness.looked(from: Self.at(700), found: nil)
        #expect(freshness.isCurrent(at: Self.at(1_700)) && !freshness.isCurrent(at: Self.at(1_701)))
    }

    @Test func `a change makes them young when it is in force`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        let (one, other) = (try temporary.store.load(), try temporary.store.load())
        let freshness = StoreFreshness(limit: .seconds(1))
        freshness.begin(at: Self.at(0))
        freshness.looked(from: Self.at(5_000), found: one)
        // The process was stopped: neither the next looks nor an older change help.
        freshness.looked(from: Self.at(5_200), found: nil)
        #expect(!freshness.isCurrent(at: Self.at(5_300)))
        freshness.looked(from: Self.at(5_400), found: other)
        freshness.applied(one)
        #expect(!freshness.isCurrent(at: Self.at(5_500)))
        freshness.applied(other)
        #expect(freshness.isCurrent(at: Self.at(6_400)) && !freshness.isCurrent(at: Self.at(6_401)))
        freshness.looked(from: Self.at(6_000), found: nil)
        #expect(freshness.isCurrent(at: Self.at(7_000)))
    }

    @Test(.timeLimit(.minutes(20)))
    func `a followed store confirms its permissions and a failed look does not`() async throws {
        let temporary = try PermissionStoreTests.Temporary()
        let key = MasterKey()
        let known = try temporary.store.load()
        let freshness = StoreFreshness(limit: .seconds(1))
        let changes = temporary.store.changes(
            every: .milliseconds(20),
            silence: .seconds(30),
            masterKey: key,
            after: known,
            freshness: freshness
        )
        let begin = ContinuousClock.now
        while ContinuousClock.now - begin < .seconds(3) {
            try await Task.sleep(for: .milliseconds(50))
        }
        // One of the looks is in time, also while other tests hold the processor.
        while !freshness.isCurrent(at: .now) { try await Task.sleep(for: .milliseconds(5)) }
        // A change that nobody puts into force.
        try temporary.store.addGroup("g", actor: "test")
        while freshness.isCurrent(at: .now) { try await Task.sleep(for: .milliseconds(50)) }
        for await change in changes {
            guard case .published(let snapshot) = change else { continue }
            freshness.applied(snapshot)
            break
        }
        #expect(!freshness.isCurrent(at: .now + .seconds(60)))
    }
}
