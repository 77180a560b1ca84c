import Access
import Foundation
import Store
import Synchronization

/// A node without clients: its store, and the snapshot in force, as a gateway follows them.
final class SimulatedNode: Sendable {
    /// The interval and the silence of a gateway.
    private static let (interval, silence) = (
        Duration.milliseconds(200), Duration.milliseconds(800)
    )

    /// A snapshot that came into force.
    struct Arrival {
        var revision: Int64
        var time: ContinuousClock.Instant
        /// Whether each pair has access.
        var verdicts: [Bool]
    }

    /// What the node has seen.
    private struct State {
        var snapshot: StoreSnapshot
        var arrivals: [Arrival] = []
        var closings = 0
    }

    let store: PermissionStore
    private let state: Mutex<State>
    private let pairs: [Pair]

    /// Opens the store.
    /// - Parameter pairs: The users and accounts whose verdicts are recorded at each change.
    init(_ server: PostgreSQLServer, pairs: [Pair]) throws {
        self.store = try PermissionStore(.postgreSQL(server), creates: false)
        self.state = Mutex(State(snapshot: try self.store.load()))
        self.pairs = pairs
    }

    /// Follows the store until the end of the process.
    func follow(_ masterKey: MasterKey) {
        let changes = self.store.changes(
            every: Self.interval,
            silence: Self.silence,
            masterKey: masterKey,
            after: self.snapshot
        )
        Task.detached {
            for await change in changes { self.adopt(change) }
        }
    }

    private func adopt(_ change: StoreChange) {
        switch change {
        case .published(let snapshot):
            let verdicts = self.pairs.map { $0.isOpen(in: snapshot.access) }
            self.state.withLock { state in
                state.snapshot = snapshot
                state.arrivals.append(
                    Arrival(revision: snapshot.access.revision, time: .now, verdicts: verdicts)
                )
            }
        case .unreadable:
            self.state.withLock { $0.closings += 1 }
        }
    }

    var snapshot: StoreSnapshot { self.state.withLock(\.snapshot) }
    var arrivals: [Arrival] { self.state.withLock(\.arrivals) }
    var closings: Int { self.state.withLock(\.closings) }
}

/// A user, and an account of somebody else.
struct Pair: Sendable {
    var user: Int64
    var account: Int64

    static func name(_ number: Int64) -> String { "u\(number)@kanzlei.example" }

    func isOpen(in snapshot: Snapshot) -> Bool {
        let access = snapshot.access(
            of: UserID(self.user),
            to: AccountID(self.account),
            at: .current
        )
        return !access.anywhere.isEmpty
    }
}

/// Every decision that a snapshot gives, for comparisons.
struct Decisions: Equatable {
    private let revision: Int64
    private let accesses: [[AccountID: AccountAccess]]

    init(_ snapshot: Snapshot) {
        let now = Moment.current
        self.revision = snapshot.revision
        self.accesses = snapshot.users.keys.sorted { $0.rawValue < $1.rawValue }.map { user in
            let visible = snapshot.accounts(visibleTo: user, at: now)
            return Dictionary(
                visible.map { ($0.id, snapshot.access(of: user, to: $0.id, at: now)) }
            ) { first, _ in first }
        }
    }
}
