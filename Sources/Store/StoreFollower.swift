import Access
import Foundation
import Synchronization

/// What a gateway must do after a look at the store.
package enum StoreChange: Sendable {
    /// Use this snapshot.
    case published(StoreSnapshot)
    /// The store cannot be read, so the last snapshot may be out of date. The next `published`
    /// ends this state.
    case unreadable(StoreRefusal)

    /// The snapshot to use; nil if there is none.
    fileprivate var snapshot: StoreSnapshot? {
        if case .published(let snapshot) = self { return snapshot }
        return nil
    }
}

/// Following a store that other processes change.
extension PermissionStore {
    /// Yields when the file was changed or replaced by any process, when a grant has ended, and
    /// when the file cannot be read. The stream ends when its consumer does.
    ///
    /// Two threads run for each stream. One reads the store, and may be blocked by the engine for
    /// long. The other one detects that, and never calls the engine.
    /// - Parameters:
    ///   - interval: The time between two looks at the file. A replacement takes effect after
    ///     two looks.
    ///   - silence: How long a look may take before the store counts as unreadable.
    ///   - masterKey: The key with which a replacement must have been sealed.
    ///   - known: The snapshot that the consumer has already; nil yields the first one, too.
    ///   - freshness: Learns of each look that did not fail.
    package func changes(
        every interval: Duration,
        silence: Duration,
        masterKey: MasterKey,
        after known: StoreSnapshot? = nil,
        freshness: StoreFreshness? = nil
    ) -> AsyncStream<StoreChange> {
        freshness?.begin(at: .now)
        return AsyncStream { continuation in
            let watch = StoreWatch(silence: silence, from: .now)
            let isOver = Flag()
            // The engine may block the first thread, and must not block the second.
            Thread.detachNewThread {
                var follower = StoreFollower(store: self, masterKey: masterKey, known: known)
                while !isOver.isSet {
                    let start = ContinuousClock.now
                    let change = follower.look { watch.answered(at: .now) }
                    if follower.hasFailed {
                        if let change { watch.refuse { continuation.yield(change) } }
                    } else {
                        let isCurrent = watch.lookEnded(from: start, at: .now) { wasSilent in
                            let current = wasSilent ? follower.currentChange : nil
                            let change = change ?? current
                            if case .unreadable? = change {
                            } else {
                                freshness?.looked(from: start, found: change?.snapshot)
                            }
                            if let change { continuation.yield(change) }
                        }
                        guard isCurrent else { continue }
                    }
                    self.engine.wait(atMost: interval)
                }
                continuation.finish()
            }
            Thread.detachNewThread {
                while !isOver.isSet {
                    watch.check(at: .now) { refusal in
                        continuation.yield(.unreadable(refusal))
                    }
                    Thread.sleep(forTimeInterval: StoreWatch.interval / .seconds(1))
                }
            }
            continuation.onTermination = { _ in isOver.set() }
        }
    }
}

/// A flag that one thread sets and others poll.
private final class Flag: Sendable {
    private let value = Atomic(false)

    /// Whether ``set()`` was called.
    var isSet: Bool { self.value.load(ordering: .relaxed) }

    /// Sets the flag, for good.
    func set() {
        self.value.store(true, ordering: .relaxed)
    }
}

/// Detects that the store does not answer. It records the time of the last answer and never
/// calls the engine, which may wait for locks and disks. Safe to use from several threads.
package final class StoreWatch: Sendable {
    /// The time between two checks: short in comparison with the silence that a gateway allows.
    static let interval = Duration.milliseconds(50)

    /// The time of the last answer.
    private struct State {
        /// When the file answered last, or a look ended.
        var answered: ContinuousClock.Instant
        /// Whether the silence since then, or a refusal, was reported.
        var isSilent = false
    }

    /// How long a look may take before the store counts as unreadable.
    private let silence: Duration
    /// Shared by the thread that looks and the thread that checks.
    private let state: Mutex<State>

    /// Creates a watch.
    /// - Parameters:
    ///   - silence: How long a look may take.
    ///   - start: The time from which the first silence counts.
    package init(silence: Duration, from start: ContinuousClock.Instant) {
        self.silence = silence
        self.state = Mutex(State(answered: start))
    }

    /// Records that the file answered. A look calls this before it reads a large store, which
    /// may take longer than the silence.
    package func answered(at now: ContinuousClock.Instant) {
        self.state.withLock { $0.answered = now }
    }

    /// Records the end of a look that did not fail. A look that fails ends no silence: the known
    /// snapshot may grant what was withdrawn since.
    ///
    /// A look that took longer than the silence ends none either. It may have read the store before
    /// the silence: a transaction sees one state, and a network that was cut delays its statements.
    /// - Parameters:
    ///   - start: When the look began.
    ///   - tell: Receives whether the silence was reported. It runs under the lock, so what it
    ///     reports precedes any later report of ``check(at:_:)``.
    /// - Returns: False if the silence lasts, and another look has to end it.
    package func lookEnded(
        from start: ContinuousClock.Instant,
        at now: ContinuousClock.Instant,
        tell: (Bool) -> Void
    ) -> Bool {
        self.state.withLock { state in
            guard !state.isSilent || now - start <= self.silence else { return false }
            tell(state.isSilent)
            state = State(answered: now)
            return true
        }
    }

    /// Reports a refusal. The silence that follows it is not reported.
    func refuse(_ tell: () -> Void) {
        self.state.withLock { state in
            state.isSilent = true
            tell()
        }
    }

    /// Reports a silence that lasts too long.
    /// - Parameter tell: Called under the lock, once for each silence.
    package func check(at now: ContinuousClock.Instant, tell: (StoreRefusal) -> Void) {
        self.state.withLock { state in
            guard !state.isSilent, now - state.answered > self.silence else { return }
            state.isSilent = true
            tell(
                StoreRefusal(
                    "the store does not answer: another process keeps it locked, or its disk hangs"
                )
            )
        }
    }
}

/// Looks at the store repeatedly and returns what is new. Used on one thread.
private struct StoreFollower {
    /// The number of consecutive failed looks that are reported as unreadable. With five looks
    /// a second, shared mailboxes are closed within a second. A missing or refused file is
    /// reported at once.
    private static let patience = 3

    /// The store to look at.
    let store: PermissionStore
    /// The key with which a replacement must have been sealed.
    let masterKey: MasterKey
    /// The snapshot that was published last.
    private var known: StoreSnapshot?
    /// When the next grant of that snapshot ends.
    private var expiry: Moment?
    /// Consecutive failed looks.
    private var failures = 0
    /// The last report of a file that cannot be used; nil after a successful look.
    private var refusal: StoreRefusal?

    /// Creates a follower.
    /// - Parameter known: The snapshot that was loaded; nil if none was.
    init(store: PermissionStore, masterKey: MasterKey, known: StoreSnapshot?) {
        self.store = store
        self.masterKey = masterKey
        self.known = known
        self.expiry = known?.access.nextExpiry(after: .current)
    }

    /// Whether the last look got no answer from the store.
    var hasFailed: Bool { self.failures > 0 }

    /// The result of the last look that did not fail; nil before the first one.
    var currentChange: StoreChange? {
        self.refusal.map(StoreChange.unreadable) ?? self.known.map(StoreChange.published)
    }

    /// Looks at the store once.
    /// - Parameter answered: Called when the file has answered.
    /// - Returns: Nil if nothing is new.
    mutating func look(_ answered: () -> Void) -> StoreChange? {
        do {
            let snapshot = try self.newest(answered)
            self.failures = 0
            guard let snapshot else { return nil }
            self.known = snapshot
            self.expiry = snapshot.access.nextExpiry(after: .current)
            self.refusal = nil
            return .published(snapshot)
        } catch let refusal as StoreRefusal {
            self.failures = 0
            return self.refused(refusal)
        } catch {
            self.failures += 1
            guard self.failures >= Self.patience else { return nil }
            return self.refused(StoreRefusal("\(error)"))
        }
    }

    /// Reports a refusal unless it was reported last.
    private mutating func refused(_ refusal: StoreRefusal) -> StoreChange? {
        guard self.refusal != refusal else { return nil }
        self.refusal = refusal
        return .unreadable(refusal)
    }

    /// A new snapshot, of a replacement or of a change; nil if nothing changed.
    private func newest(_ answered: () -> Void) throws -> StoreSnapshot? {
        let hasEnded = self.expiry.map { $0 <= .current } ?? false
        let newest = try self.store.engine.newest(
            self.masterKey,
            after: self.known,
            always: self.refusal != nil || hasEnded,
            answered: answered
        )
        // The end of a grant is no change of a row.
        return hasEnded ? newest?.withoutHistory : newest
    }
}
