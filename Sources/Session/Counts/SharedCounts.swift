package import Access
package import NIOCore
import Synchronization

/// The counts of this gateway that the other gateways of the store add to theirs, and the counts of
/// the others.
///
/// A decision adds the others' counts to those of this gateway. They are at most about a second old: an
/// exchange with the store, on a thread of its own, writes ``changes(all:)`` and reads what
/// ``receive(_:)`` takes. If the store cannot be reached, the last counts stay until they end;
/// those of connections count for ``connectionsLifetime``.
/// Durations are exchanged instead of moments, so the clocks of the machines may differ. Thread-safe.
package final class SharedCounts: Sendable {
    /// Rows that one exchange writes; the rest waits for the next one. A flood from many addresses
    /// would otherwise hold up the counts of users.
    package static let maximumRows = 5_000
    /// How long the others' connections count without an exchange. Their gateways may be over, and
    /// users must not be refused until the store can be reached.
    package static let connectionsLifetime = TimeAmount.seconds(30)
    /// Keys that are examined under one lock, which event loops wait for.
    private static let slice = 500
    /// The time between two searches for counts that have ended.
    private static let pruneInterval = TimeAmount.minutes(1)

    /// A count of this gateway.
    private struct Own {
        var count: Int
        /// Nil for a count of connections.
        var until: NIODeadline?
        /// Whether the store may have a row.
        var isWritten: Bool
    }

    /// A count of another gateway.
    private struct Other {
        var instance: Int64
        var part: Int64
        var count: Int
        /// Nil for a count of connections.
        var until: NIODeadline?
    }

    /// What the lock protects. Entries are bounded by those of the counters.
    private struct State {
        var own: [NodeCount.Row: Own] = [:]
        /// The rows of ``own`` to write.
        var changed: Set<NodeCount.Row> = []
        var others: [NodeCount.Key: [Other]] = [:]
        /// When ended counts were removed.
        var pruned: NIODeadline
        /// When the counts of the others were received.
        var received: NIODeadline
    }

    private let state: Mutex<State>
    private let now: @Sendable () -> NIODeadline

    /// - Parameter now: The clock; a test replaces it.
    package init(now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.now = now
        let start = now()
        self.state = Mutex(State(pruned: start, received: start))
    }

    // MARK: - Counters

    /// Sets a count of this gateway.
    /// - Parameter time: How long it lasts; nil for connections.
    package func set(_ count: Int, of row: NodeCount.Row, lasting time: TimeAmount? = nil) {
        let now = self.now()
        let until = time.map { now + $0 }
        self.state.withLock { state in
            let isWritten = state.own[row]?.isWritten ?? false
            let isOver = state.own[row]?.until.map { $0 <= now } ?? false
            // What came and went between two exchanges needs no row, and what ended is over there.
            guard count > 0 || isWritten && !isOver else {
                state.own[row] = nil
                state.changed.remove(row)
                return
            }
            state.own[row] = Own(count: count, until: until, isWritten: isWritten)
            state.changed.insert(row)
        }
    }

    /// The sum of the other gateways' counts.
    package func others(_ kind: NodeCount.Kind, name: String) -> Int {
        let key = NodeCount.Key(kind, name: name)
        let now = self.now()
        return self.state.withLock { state in
            let isConnected = now - state.received < Self.connectionsLifetime
            return state.others[key]?.reduce(0) { sum, other in
                other.until.map { $0 > now } ?? isConnected ? sum + other.count : sum
            } ?? 0
        }
    }

    // MARK: - Exchange

    /// The counts to write. The next call does not return them again.
    /// - Parameter all: Whether the store may lack what was written before.
    package func changes(all: Bool) -> [NodeCount] {
        let now = self.now()
        return self.state.withLock { state in
            let rows = all ? Array(state.own.keys) : Self.first(of: state.changed)
            if all { state.changed = [] }
            return rows.compactMap { row in
                state.changed.remove(row)
                guard let own = state.own[row] else { return nil }
                let remaining = own.until.map { ($0 - now).nanoseconds / 1_000_000 }
                // The others have noticed the end of a count.
                guard own.count > 0, remaining ?? 1 > 0 else {
                    state.own[row] = nil
                    return own.count == 0 ? NodeCount(row, count: 0, remaining: 0) : nil
                }
                state.own[row]?.isWritten = true
                return NodeCount(row, count: own.count, remaining: remaining)
            }
        }
    }

    /// The changed rows, at most ``maximumRows``.
    private static func first(of changed: Set<NodeCount.Row>) -> [NodeCount.Row] {
        guard changed.count > self.maximumRows else { return Array(changed) }
        let byKind = Dictionary(grouping: changed, by: \.key.kind)
        return Array(NodeCount.Kind.allCases.flatMap { byKind[$0] ?? [] }.prefix(self.maximumRows))
    }

    /// Takes the counts of the other gateways. Called on one thread.
    package func receive(_ report: NodeReport) {
        if report.isWhole {
            var others: [NodeCount.Key: [Other]] = [:]
            for (instance, count) in report.counts {
                self.apply(count, of: instance, to: &others)
            }
            self.state.withLock { $0.others = others }
        } else {
            for start in stride(from: 0, to: report.counts.count, by: Self.slice) {
                self.state.withLock { state in
                    for (instance, count) in report.counts[start...].prefix(Self.slice) {
                        self.apply(count, of: instance, to: &state.others)
                    }
                }
            }
        }
        if !report.ended.isEmpty {
            self.removeOthers { $0.until == nil && report.ended.contains($0.instance) }
        }
        let now = self.now()
        self.state.withLock { $0.received = now }
        self.prune()
    }

    /// Sets, or removes, a count of another gateway.
    private func apply(
        _ count: NodeCount,
        of instance: Int64,
        to others: inout [NodeCount.Key: [Other]]
    ) {
        var counts = others[count.row.key] ?? []
        counts.removeAll { $0.instance == instance && $0.part == count.row.part }
        if count.count > 0, count.remaining ?? 1 > 0 {
            counts.append(
                Other(
                    instance: instance,
                    part: count.row.part,
                    count: count.count,
                    until: count.remaining.map { self.now() + .milliseconds($0) }
                )
            )
        }
        others[count.row.key] = counts.isEmpty ? nil : counts
    }

    /// Removes counts that have ended, once in ``pruneInterval``. ``receive(_:)`` does so as
    /// well; called after an exchange that failed, on the thread of the exchange.
    package func prune() {
        let now = self.now()
        guard now - self.state.withLock(\.pruned) >= Self.pruneInterval else { return }
        self.state.withLock { $0.pruned = now }
        self.removeOthers { $0.until.map { $0 <= now } ?? false }
        let rows = self.state.withLock { Array($0.own.keys) }
        for start in stride(from: 0, to: rows.count, by: Self.slice) {
            self.state.withLock { state in
                for row in rows[start...].prefix(Self.slice) {
                    guard let until = state.own[row]?.until, until <= now else { continue }
                    state.own[row] = nil
                    state.changed.remove(row)
                }
            }
        }
    }

    /// Removes counts of the other gateways that a condition holds for.
    private func removeOthers(where isOver: (Other) -> Bool) {
        let keys = self.state.withLock { Array($0.others.keys) }
        for start in stride(from: 0, to: keys.count, by: Self.slice) {
            self.state.withLock { state in
                for key in keys[start...].prefix(Self.slice) {
                    state.others[key]?.removeAll(where: isOver)
                    if state.others[key]?.isEmpty ?? false { state.others[key] = nil }
                }
            }
        }
    }

    /// The number of counts of this gateway, and of keys of the others.
    package var size: (own: Int, others: Int) {
        self.state.withLock { ($0.own.count, $0.others.count) }
    }
}
