import Access
import NIOCore
import Session
import Store

/// What users decide about subscriptions of folders that are not their own, read and written off the event loops.
final class Subscriptions: Sendable {
    private let store: PermissionStore
    private let writer: BackgroundWriter

    init(store: PermissionStore, writer: BackgroundWriter) {
        self.store = store
        self.writer = writer
    }

    func load(
        _ user: UserID,
        on loop: any EventLoop,
        answer: @escaping @Sendable (SubscriptionChoices?) -> Void
    ) {
        self.writer.submit { [store = self.store] in
            let choices = (try? store.subscriptions(of: user)).map { SubscriptionChoices($0) }
            loop.execute { answer(choices) }
        }
    }

    func change(
        _ change: SubscriptionChange,
        on loop: any EventLoop,
        answer: @escaping @Sendable (SubscriptionOutcome) -> Void
    ) {
        self.writer.submit { [store = self.store] in
            let outcome = (try? store.setSubscription(change)) ?? .failed
            loop.execute { answer(outcome) }
        }
    }
}
