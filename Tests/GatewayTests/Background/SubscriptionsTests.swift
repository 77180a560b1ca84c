import Access
import NIOCore
import NIOPosix
import Session
import Store
import Testing

@testable import Gateway

/// What users decide about folders that are not their own, off the event loops.
@Suite struct SubscriptionsTests {
    private final class Bench: Sendable {
        let fixture: StoreFixture
        let subscriptions: Subscriptions
        let loop = MultiThreadedEventLoopGroup.singleton.next()

        init() throws {
            self.fixture = try StoreFixture()
            self.subscriptions = Subscriptions(
                store: self.fixture.store,
                writer: self.fixture.background
            )
        }

        func change(
            _ folder: String,
            _ kind: SubscriptionChange.Kind,
            user: UserID? = nil
        ) async throws -> SubscriptionOutcome {
            let user = try user ?? self.fixture.user("anna")
            let account = try self.fixture.account("bob")
            let folder = try StoreFixture.folderPath(folder)
            return try await answer { done in
                self.subscriptions.change(
                    SubscriptionChange(user: user, account: account, folder: folder, kind: kind),
                    on: self.loop,
                    answer: done
                )
            }
        }

        /// `+FOLDER` and `-FOLDER`, in order.
        func stored(_ name: String = "anna") throws -> [String] {
            try self.fixture.store.subscriptions(of: self.fixture.user(name)).map { row in
                "\(row.isSubscribed ? "+" : "-")\(row.folder)"
            }.sorted()
        }
    }

    @Test func `each change is stored, and the last one applies`() async throws {
        let bench = try Bench()
        #expect(try await bench.change("Akten", .subscribe) == .changed)
        #expect(try await bench.change("Archiv", .unsubscribe) == .changed)
        #expect(try bench.stored() == ["+Akten", "-Archiv"])
        #expect(try await bench.change("Akten", .unsubscribe) == .changed)
        #expect(try await bench.change("Akten", .unsubscribe) == .changed)
        #expect(try bench.stored() == ["-Akten", "-Archiv"])
        #expect(try await bench.change("Akten", .forget) == .changed)
        #expect(try await bench.change("Nirgends", .forget) == .changed)
        #expect(try bench.stored() == ["-Archiv"])
        #expect(try bench.stored("bob") == [])
        try await bench.fixture.stop()
    }

    @Test func `a change of a removed user fails, and is not stored`() async throws {
        let bench = try Bench()
        #expect(try await bench.change("Akten", .subscribe, user: UserID(9_999)) == .failed)
        try await bench.fixture.stop()
    }

    @Test func `the number of a user's subscriptions is limited`() async throws {
        let bench = try Bench()
        let (user, account) = (try bench.fixture.user("anna"), try bench.fixture.account("bob"))
        for number in 0..<PermissionStore.maximumSubscriptions {
            let change = SubscriptionChange(
                user: user,
                account: account,
                folder: try StoreFixture.folderPath("f\(number)"),
                kind: .subscribe
            )
            _ = try bench.fixture.store.setSubscription(change)
        }
        #expect(try await bench.change("one more", .subscribe) == .tooMany)
        #expect(try await bench.change("f0", .subscribe) == .changed)
        #expect(try await bench.change("f0", .forget) == .changed)
        #expect(try await bench.change("one more", .subscribe) == .changed)
        try await bench.fixture.stop()
    }

    @Test func `stored subscriptions are loaded again, and an unknown user has none`() async throws
    {
        let bench = try Bench()
        _ = try await bench.change("Akten", .subscribe)
        _ = try await bench.change("Archiv", .unsubscribe)
        for user in [try bench.fixture.user("anna"), UserID(9_999)] {
            let choices: SubscriptionChoices? = try await answer { done in
                bench.subscriptions.load(user, on: bench.loop, answer: done)
            }
            #expect(choices != nil)
        }
        bench.fixture.store.close()
        let user = UserID(1)
        let choices: SubscriptionChoices? = try await answer { done in
            bench.subscriptions.load(user, on: bench.loop, answer: done)
        }
        #expect(choices == nil, "a store that does not answer is not one without subscriptions")
        try await bench.fixture.stop()
    }

    @Test func `changes are performed in the order of their arrival`() async throws {
        let bench = try Bench()
        let user = try bench.fixture.user("anna")
        let account = try bench.fixture.account("bob")
        let folder = try StoreFixture.folderPath("Akten")
        for number in 0..<100 {
            let change = SubscriptionChange(
                user: user,
                account: account,
                folder: folder,
                kind: number.isMultiple(of: 2) ? .subscribe : .unsubscribe
            )
            bench.subscriptions.change(change, on: bench.loop) { _ in }
        }
        _ = try await bench.change("Last", .subscribe)
        #expect(try bench.stored() == ["+Last", "-Akten"])
        try await bench.fixture.stop()
    }
}
