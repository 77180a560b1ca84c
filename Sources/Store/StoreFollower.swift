import Access
import Foundation
import Synchronization

/// What became of the store.
package enum StoreChange: Sendable {
    case published(StoreSnapshot)
    /// What is known of it may be out of date; the next that is published ends this.
    case unreadable(StoreRefusal)
}

extension PermissionStore {
    /// Yields whenever the file was changed or replaced, by whichever process, when a grant has ended,
    /// and when the file cannot be read, until whoever reads this ends.
    ///
    /// - Parameters:
    ///   - interval: between two looks at the file; a replacement counts after two of them.
    ///   - silence: how long a look may take before the file counts as one that cannot be read.
    ///   - masterKey: with which a file that takes the place of the one in force was sealed.
    package func changes(
        every interval: Duration,
        silence: Duration,
        masterKey: MasterKey
    ) -> AsyncStream<StoreChange> {
        AsyncStream { continuation in
            let watch = StoreWatch(silence: silence, from: .now)
            let isOver = Flag()
            // Each has a thread of its own: SQLite may keep the one, and must not keep the other.
            Thread.detachNewThread {
                var follower = StoreFollower(store: self, masterKey: masterKey)
                while !isOver.isSet {
                    let change = follower.look { watch.answered(at: .now) }
                    watch.lookEnded(at: .now) { wasSilent in
                        guard let change = change ?? (wasSilent ? follower.standing : nil) else {
                            return
                        }
                        continuation.yield(change)
                    }
                    Thread.sleep(forTimeInterval: interval / .seconds(1))
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

private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { self.value.load(ordering: .relaxed) }

    func set() {
        self.value.store(true, ordering: .relaxed)
    }
}

/// Knows when the store was looked at last, without asking SQLite, which waits for locks and disks.
package final class StoreWatch: Sendable {
    /// Between two checks: little, beside the silence that a gateway allows.
    static let interval = Duration.milliseconds(50)

    private struct State {
        var answered: ContinuousClock.Instant
        /// Whether that was told.
        var isSilent = false
    }

    private let silence: Duration
    private let state: Mutex<State>

    package init(silence: Duration, from start: ContinuousClock.Instant) {
        self.silence = silence
        self.state = Mutex(State(answered: start))
    }

    /// The file in force has answered: to read all of a large one may take its time.
    package func answered(at now: ContinuousClock.Instant) {
        self.state.withLock { $0.answered = now }
    }

    /// - Parameter tell: gets whether the file counted as one that cannot be read; is called before
    ///   anything that a check tells later.
    package func lookEnded(at now: ContinuousClock.Instant, _ tell: (Bool) -> Void) {
        self.state.withLock { state in
            tell(state.isSilent)
            state = State(answered: now)
        }
    }

    /// - Parameter tell: is called once for each silence.
    package func check(at now: ContinuousClock.Instant, _ tell: (StoreRefusal) -> Void) {
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

/// Looks at a store again and again, and tells what is new.
private struct StoreFollower {
    /// Looks in a row that fail before that is told: with five looks a second, shared mailboxes are
    /// closed within a second. A file that is missing or refused is told at once.
    private static let patience = 3

    let store: PermissionStore
    let masterKey: MasterKey
    private var known: StoreSnapshot?
    private var expiry: Moment?
    private var failures = 0
    /// What was told last of a file that cannot be used.
    private var refusal: StoreRefusal?

    init(store: PermissionStore, masterKey: MasterKey) {
        self.store = store
        self.masterKey = masterKey
    }

    /// What counts by the last look.
    var standing: StoreChange? {
        self.refusal.map(StoreChange.unreadable) ?? self.known.map(StoreChange.published)
    }

    /// - Parameter answered: is called when the file in force has answered.
    /// - Returns: nil where nothing is new.
    mutating func look(_ answered: () -> Void) -> StoreChange? {
        do {
            let published = try self.newest(answered)
            self.failures = 0
            guard let published else { return nil }
            self.known = published
            self.expiry = published.access.nextExpiry(after: .current)
            self.refusal = nil
            return .published(published)
        } catch let refusal as StoreRefusal {
            self.failures = 0
            return self.refused(refusal)
        } catch {
            self.failures += 1
            guard self.failures >= Self.patience else { return nil }
            return self.refused(StoreRefusal("\(error)"))
        }
    }

    private mutating func refused(_ refusal: StoreRefusal) -> StoreChange? {
        guard self.refusal != refusal else { return nil }
        self.refusal = refusal
        return .unreadable(refusal)
    }

    private func newest(_ answered: () -> Void) throws -> StoreSnapshot? {
        if let replaced = try self.store.adoptReplacement(self.masterKey, after: self.known) {
            return replaced
        }
        let hasEnded = self.expiry.map { $0 <= .current } ?? false
        return try self.store.newest(
            self.masterKey,
            after: self.known,
            always: self.refusal != nil || hasEnded,
            answered: answered
        )
    }
}
