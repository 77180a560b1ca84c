import Access
import NIOCore
import Session
import Store

/// The subscriptions of users to folders that are not their own. The store is read and written on a
/// background thread.
final class Subscriptions: Sendable {
    private let store: PermissionStore
    /// The thread that reads and writes the store, in order: a load sees all earlier changes.
    private let writer: BackgroundWriter

    init(store: PermissionStore, writer: BackgroundWriter) {
        self.store = store
        self.writer = writer
    }

    /// Loads a user's subscriptions.
    /// - Parameter answer: called on `loop`; receives nil if the store cannot be read.
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

    /// Changes a subscription.
    /// - Parameter answer: called on `loop` after the change is stored, or has failed.
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
