import Synchronization

/// Whether the permissions in force are still those of the store, as far as a gateway can know.
///
/// The threads that look at the store may not run for a time: a process can be stopped, and a virtual
/// machine paused. Afterwards an event loop may run first, with permissions that were withdrawn
/// meanwhile. So every use of permissions asks for their age. Safe to use from any thread.
package final class StoreFreshness: Sendable {
    private struct State {
        /// The begin of the last look whose result is in force; nil until the first look began.
        var confirmed: ContinuousClock.Instant?
        /// A snapshot that was found but is not in force yet, and the begin of the look.
        var found: (snapshot: StoreSnapshot, start: ContinuousClock.Instant)?
    }

    /// The age from which permissions are not trusted.
    private let limit: Duration
    private let state = Mutex(State())

    /// Permissions are trusted until ``begin(at:)``.
    /// - Parameter limit: The time from the begin of a look until its result is too old.
    package init(limit: Duration) {
        self.limit = limit
    }

    /// The looks begin.
    package func begin(at now: ContinuousClock.Instant) {
        self.state.withLock { $0.confirmed = now }
    }

    /// A look did not fail.
    /// - Parameters:
    ///   - start: When the look began.
    ///   - found: The snapshot that the consumer of the changes gets; nil if nothing is new.
    func looked(from start: ContinuousClock.Instant, found: StoreSnapshot?) {
        self.state.withLock { state in
            if let found {
                state.found = (found, start)
            } else if state.found == nil {
                state.confirmed = start
            }
        }
    }

    /// A snapshot is in force.
    package func applied(_ snapshot: StoreSnapshot) {
        self.state.withLock { state in
            guard let found = state.found, found.snapshot === snapshot else { return }
            state.confirmed = found.start
            state.found = nil
        }
    }

    /// Whether the permissions in force are young enough to be trusted.
    package func isCurrent(at now: ContinuousClock.Instant) -> Bool {
        self.state.withLock { state in
            state.confirmed.map { now - $0 <= self.limit } ?? true
        }
    }
}
