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
    }

    /// Every event loop takes this lock for each command: hold it for short work only.
    private let state: Mutex<State>
    /// Returns the same permissions for owners only.
    private let withoutSharing: @Sendable (StoreSnapshot) -> StoreSnapshot

    /// - Parameter withoutSharing: returns the same permissions for owners only; a test replaces
    ///   it.
    init(
        _ published: StoreSnapshot,
        withoutSharing: @escaping @Sendable (StoreSnapshot) -> StoreSnapshot = { $0.withoutSharing }
    ) {
        self.state = Mutex(State(published: published, current: published))
        self.withoutSharing = withoutSharing
    }

    /// The snapshot that sessions use.
    var current: StoreSnapshot {
        self.state.withLock { $0.current }
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
