import Access
import NIOCore
import NIOPosix
import Session
import Store

/// A user's subscriptions of shared folders, read and written off the event loops.
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
        _ answer: @escaping @Sendable (Set<Subscription>?) -> Void
    ) {
        self.pool.submit { [store = self.store] _ in
            let rows = try? store.subscriptions(of: user)
            let subscriptions = rows.map { rows in
                Set(rows.map { Subscription(account: $0.account, folder: $0.folder) })
            }
            loop.execute { answer(subscriptions) }
        }
    }

    func change(
        _ user: UserID,
        _ subscription: Subscription,
        isSubscribed: Bool,
        on loop: any EventLoop,
        _ answer: @escaping @Sendable (SubscriptionOutcome) -> Void
    ) {
        self.pool.submit { [store = self.store] _ in
            let hadRoom = try? store.setSubscription(
                of: user,
                account: subscription.account,
                folder: subscription.folder,
                isSubscribed: isSubscribed
            )
            let outcome: SubscriptionOutcome =
                hadRoom.map { $0 ? .changed : .tooMany } ?? .failed
            loop.execute { answer(outcome) }
        }
    }
}
