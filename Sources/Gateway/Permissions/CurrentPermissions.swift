import Store
import Synchronization

/// The permissions in force. They are replaced as a whole when the store changes. Safe to use from
/// any event loop.
final class CurrentPermissions: Sendable {
    /// Why shared access is suspended, whatever is granted.
    enum Restriction {
        /// The audit log cannot be written, and is required.
        case auditLog
        /// The store cannot be read: permissions may have been revoked since.
        case store
    }

    /// What the lock protects.
    private struct State {
        /// The store's last snapshot.
        var published: StoreSnapshot
        /// The store's last snapshot, or the same without sharing while a restriction is in force.
        /// Sessions use it.
        var current: StoreSnapshot
        /// The restrictions in force; sharing is suspended while there is one.
        var restrictions: Set<Restriction> = []
        /// A published snapshot, and the same without sharing, which is used while it is too old.
        var outdated: (of: StoreSnapshot, value: StoreSnapshot)?
    }

    /// Every event loop takes this lock for each command: hold it for short work only.
    private let state: Mutex<State>
    /// Returns the same permissions for owners only.
    private let withoutSharing: @Sendable (StoreSnapshot) -> StoreSnapshot
    /// The age of the published snapshot.
    let freshness: StoreFreshness

    /// - Parameters:
    ///   - freshness: the age of the published snapshot; a test sets the limit.
    ///   - withoutSharing: returns the same permissions for owners only; a test replaces it.
    init(
        _ published: StoreSnapshot,
        freshness: StoreFreshness = StoreFreshness(limit: CurrentPermissions.maximumAge),
        withoutSharing: @escaping @Sendable (StoreSnapshot) -> StoreSnapshot = { $0.withoutSharing }
    ) {
        self.state = Mutex(State(published: published, current: published))
        self.withoutSharing = withoutSharing
        self.freshness = freshness
    }

    /// The age from which the published snapshot is used without sharing: a right that was withdrawn
    /// is kept for no longer.
    static let maximumAge = Duration.seconds(1)

    /// The snapshot that sessions use: without sharing if the store did not confirm it lately.
    var current: StoreSnapshot {
        let isCurrent = self.freshness.isCurrent(at: .now)
        return self.state.withLock { state in
            guard !isCurrent, state.restrictions.isEmpty else { return state.current }
            if let known = state.outdated, known.of === state.published { return known.value }
            let value = self.withoutSharing(state.published)
            state.outdated = (state.published, value)
            return value
        }
    }

    /// The last snapshot of the store, whatever restrictions are in force.
    var published: StoreSnapshot { self.state.withLock { $0.published } }

    /// Whether this restriction is in force; another one may be as well.
    func isRestricted(by restriction: Restriction) -> Bool {
        self.state.withLock { $0.restrictions.contains(restriction) }
    }

    /// Puts a snapshot into force. An older one than the present one is ignored.
    func replace(with published: StoreSnapshot) {
        self.change { state in
            guard !published.isOlder(than: state.published) else { return false }
            state.published = published
            return true
        }
    }

    /// Begins or ends a restriction.
    /// - Returns: whether that changed anything.
    @discardableResult
    func restrict(_ restriction: Restriction, isInForce: Bool) -> Bool {
        self.change { state in
            guard state.restrictions.contains(restriction) != isInForce else { return false }
            if isInForce {
                state.restrictions.insert(restriction)
            } else {
                state.restrictions.remove(restriction)
            }
            return true
        }
    }

    /// Changes the state and derives the snapshot that sessions use.
    ///
    /// The snapshot without sharing is built outside the lock, which every event loop takes for
    /// each command. If the published snapshot changes meanwhile, the work is repeated.
    /// - Parameter change: returns false for no change; may be called more than once.
    /// - Returns: whether there was a change.
    @discardableResult
    private func change(_ change: (inout State) -> Bool) -> Bool {
        var restricted: (of: StoreSnapshot, value: StoreSnapshot)?
        while true {
            var missing: StoreSnapshot?
            let hasChanged = self.state.withLock { state in
                var next = state
                guard change(&next) else { return false }
                if next.restrictions.isEmpty {
                    next.current = next.published
                } else if let restricted, restricted.of === next.published {
                    next.current = restricted.value
                } else {
                    missing = next.published
                    return false
                }
                state = next
                return true
            }
            guard let missing else { return hasChanged }
            restricted = (missing, self.withoutSharing(missing))
        }
    }
}
