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
            let rows = try? store.subscriptions(of: user)
            let choices = rows.map { rows in
                SubscriptionChoices(
                    rows.map { account, folder, isSubscribed in
                        Subscription(account: account, folder: folder, isSubscribed: isSubscribed)
                    }
                )
            }
            loop.execute { answer(choices) }
        }
    }

    func change(
        _ user: UserID,
        account: AccountID,
        folder: FolderPath,
        change: SubscriptionChange,
        on loop: any EventLoop,
        answer: @escaping @Sendable (SubscriptionOutcome) -> Void
    ) {
        let isSubscribed: Bool? =
            switch change {
            case .subscribe: true
            case .unsubscribe: false
            case .forget: nil
            }
        self.pool.submit { [store = self.store] _ in
            let hadRoom = try? store.setSubscription(
                of: user,
                account: account,
                folder: folder,
                isSubscribed: isSubscribed
            )
            let outcome: SubscriptionOutcome =
                hadRoom.map { $0 ? .changed : .tooMany } ?? .failed
            loop.execute { answer(outcome) }
        }
    }
}
