import Access
import NIOCore
import NIOPosix
import Session
import Store

/// What users decide about subscriptions of folders that are not their own, read and written off the event loops.
final class Subscriptions: Sendable {
    private let store: PermissionStore
    private let pool = NIOThreadPool(numberOfThreads: 1)

    init(store: PermissionStore) {
        self.store = store
    }

    func start() {
        self.pool.start()
    }

    func stop() async throws {
        try await self.pool.shutdownGracefully()
    }

    func load(
        _ user: UserID,
        on loop: any EventLoop,
        answer: @escaping @Sendable (SubscriptionChoices?) -> Void
    ) {
        self.pool.submit { [store = self.store] _ in
            let choices = (try? store.subscriptions(of: user)).map { SubscriptionChoices($0) }
            loop.execute { answer(choices) }
        }
    }

    func change(
        _ change: SubscriptionChange,
        on loop: any EventLoop,
        answer: @escaping @Sendable (SubscriptionOutcome) -> Void
    ) {
        self.pool.submit { [store = self.store] _ in
            let outcome = (try? store.setSubscription(change)) ?? .failed
            loop.execute { answer(outcome) }
        }
    }
}
