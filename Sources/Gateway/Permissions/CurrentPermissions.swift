import Store
import Synchronization

/// The permissions in force: replaced as a whole when the store changes.
final class CurrentPermissions: Sendable {
    /// Why nothing is shared for now, whatever is granted.
    enum Restriction {
        /// It cannot be written, and has to be.
        case auditLog
        /// It cannot be read, and may say something else by now.
        case store
    }

    private struct State {
        var published: StoreSnapshot
        /// What sessions see; owners alone while nothing else may be opened.
        var current: StoreSnapshot
        var restrictions: Set<Restriction> = []
    }

    private let state: Mutex<State>
    private let withoutSharing: @Sendable (StoreSnapshot) -> StoreSnapshot

    /// - Parameter withoutSharing: the same permissions with owners alone.
    init(
        _ published: StoreSnapshot,
        withoutSharing: @escaping @Sendable (StoreSnapshot) -> StoreSnapshot = { $0.withoutSharing }
    ) {
        self.state = Mutex(State(published: published, current: published))
        self.withoutSharing = withoutSharing
    }

    var current: StoreSnapshot {
        self.state.withLock { $0.current }
    }

    func isRestricted(by restriction: Restriction) -> Bool {
        self.state.withLock { $0.restrictions.contains(restriction) }
    }

    /// Puts others into force; older ones than those in force change nothing.
    func replace(with published: StoreSnapshot) {
        self.change { state in
            guard !published.isOlder(than: state.published) else { return false }
            state.published = published
            return true
        }
    }

    /// Puts a restriction into force, or takes it away.
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

    /// Makes a change, and sets what sessions see by it. Permissions without sharing are built outside the lock,
    /// which every event loop takes for each command; another change in the meantime begins the work anew.
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
