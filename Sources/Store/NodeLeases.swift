import Synchronization

/// A process of a node that owns entries of the journal or waiting copies, with its last sign of
/// life.
struct OwningProcess: Equatable, Sendable {
    /// The process: the name of its node, and a random number.
    struct Key: Hashable, Sendable {
        var node: String
        var instance: Int64
    }

    /// The process.
    var key: Key
    /// The value that its node wrote last; 0 after a clean stop, nil if the node's name belongs to
    /// another process by now, or to none.
    var seen: Int64?
}

/// Decides which processes of other nodes are dead, so that this node may take over what they own.
///
/// A process is dead when this node has seen the same sign of life of it for ``time``, and could
/// read the database all the while. No clock of another machine is compared. After an outage of
/// the database, when no node could tell that it lives, the time begins again. Safe to use from
/// any thread.
package final class NodeLeases: Sendable {
    /// How long a process must be silent. A living one tells 25 times in this time that it lives.
    /// A sign gets lost when the node connects to another database server, which takes 2 to 4
    /// seconds.
    package static let time = Duration.seconds(10)
    /// The time between two looks.
    package static let interval = Duration.seconds(2)
    /// How long a process may act on a confirmed entry without asking again. Each confirmation is
    /// a sign of life, so nobody takes the entry within ``time``; half of it is the margin for a
    /// process that is paused while it acts.
    package static let validity = Duration.seconds(5)

    /// A sign of life, and when this node saw it first.
    private struct Sign {
        var seen: Int64?
        var since: ContinuousClock.Instant
    }

    private struct State {
        var signs: [OwningProcess.Key: Sign] = [:]
        var lastLook: ContinuousClock.Instant?
        /// Transfers of takeovers whose COMMIT had no answer.
        var doubtful: Set<Int64> = []
    }

    private let time: Duration
    private let state = Mutex(State())

    /// - Parameter time: How long a process must be silent; a test shortens it.
    package init(time: Duration = NodeLeases.time) {
        self.time = time
    }

    /// The transfers that this process perhaps took over.
    var doubtful: Set<Int64> {
        get { self.state.withLock(\.doubtful) }
        set { self.state.withLock { $0.doubtful = newValue } }
    }

    /// Records a look at the database.
    /// - Parameter owners: All other processes that own something, as the database has them now.
    /// - Returns: Those that are dead.
    func dead(among owners: [OwningProcess], at now: ContinuousClock.Instant) -> [OwningProcess] {
        self.state.withLock { state in
            // Without a look this node does not know whether others could tell that they live.
            if let last = state.lastLook, now - last > self.time / 2 { state.signs = [:] }
            state.lastLook = now
            var signs: [OwningProcess.Key: Sign] = [:]
            for owner in owners {
                let known = state.signs[owner.key].flatMap { $0.seen == owner.seen ? $0 : nil }
                signs[owner.key] = known ?? Sign(seen: owner.seen, since: now)
            }
            state.signs = signs
            return owners.filter { owner in
                owner.seen == 0 || signs[owner.key].map { now - $0.since >= self.time } ?? false
            }
        }
    }
}
