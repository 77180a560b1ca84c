import Access
import Logging
import NIOCore
import NIOPosix
import Store
import Synchronization

/// Writes records to the audit log in batches, on a background thread, from a bounded queue. It
/// also seals the log, and deletes records whose time of retention has passed. Safe to use from any
/// thread.
final class AuditLog: Sendable {
    /// Records that wait: some seconds of everything that a busy gateway does. Without a limit a
    /// store that does not answer would fill the memory.
    static let maximumWaiting = 20_000
    /// Records in one transaction.
    private static let maximumBatch = 2_000
    /// The time between two batches.
    private static let interval = TimeAmount.milliseconds(200)
    /// The time between two seals.
    private static let sealInterval = TimeAmount.seconds(60)
    /// The time between two deletions.
    private static let retentionInterval = TimeAmount.hours(1)
    private static let secondsOfDay: Int64 = 86_400

    /// What the lock protects.
    private struct Queue {
        /// Records to write, oldest first.
        var waiting: [(moment: Moment, record: AuditRecord)] = []
        /// Records that were dropped because the queue was full.
        var lost = 0
        var refusals = AuditRateLimiter()
        var logins = LoginLimiter()
        /// Whether the last write has failed.
        var isFailing = false
        /// Records that were written so far.
        var written: UInt64 = 0
        /// Callers that wait until their records are on the disk, in the order of the records.
        var commits = CommitQueue()
        /// Whether a write was asked for that has not begun.
        var isWriteDue = false

        /// Queues a record.
        /// - Returns: false if the queue is full; the record is lost then.
        mutating func append(_ record: AuditRecord, at moment: Moment) -> Bool {
            guard self.waiting.count < AuditLog.maximumWaiting else {
                self.lost += 1
                return false
            }
            self.waiting.append((moment, record))
            return true
        }

        /// Adds the summaries of records that were only counted.
        mutating func addDue(at moment: Moment) {
            let due = self.refusals.due(at: moment) + self.logins.due(at: moment)
            self.waiting += due.map { (moment, $0) }
        }
    }

    /// Written and sealed on the background thread only.
    private let store: PermissionStore
    /// Signs the seals.
    private let masterKey: MasterKey
    /// The retention in days; nil keeps all records.
    private let days: Int?
    private let logger: Logger
    private let now: @Sendable () -> Moment
    /// The thread that writes, seals and deletes, in order.
    let pool = NIOThreadPool(numberOfThreads: 1)
    private let queue = Mutex(Queue())
    /// The timers of writing, sealing and deleting; empty before ``start(on:_:)``.
    private let tasks = Mutex<[RepeatedTask]>([])
    /// Called when it changes whether the log can be written.
    private let whenChanged = Mutex<(@Sendable (Bool) -> Void)?>(nil)

    /// - Parameters:
    ///   - days: the retention in days; nil keeps all records.
    ///   - now: the clock; a test replaces it.
    init(
        store: PermissionStore,
        masterKey: MasterKey,
        days: Int?,
        logger: Logger,
        now: @escaping @Sendable () -> Moment = { .current }
    ) {
        self.store = store
        self.masterKey = masterKey
        self.days = days
        self.logger = logger
        self.now = now
    }

    /// Starts the thread and the timers.
    /// - Parameter whenChanged: called on the background thread whenever it changes whether the log
    ///   can be written.
    func start(on group: any EventLoopGroup, whenChanged: @escaping @Sendable (Bool) -> Void) {
        self.pool.start()
        self.whenChanged.withLock { $0 = whenChanged }
        self.append(AuditRecord(event: "gateway start", actor: "gatepost"))
        let loop = group.next()
        self.tasks.withLock { tasks in
            tasks = [
                loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) {
                    [self] _ in
                    // Here, because a write may hold the background thread.
                    self.queue.withLock { $0.commits.nextTick() }.finish(isCommitted: false)
                    self.onPool { self.write() }
                },
                self.repeated(on: loop, every: Self.sealInterval) { $0.seal() },
                self.repeated(on: loop, every: Self.retentionInterval) { $0.deleteOld() },
            ]
        }
        self.onPool { [self] in
            self.begin()
            self.write()
            self.seal()
            self.deleteOld()
        }
    }

    /// Runs `body` on the background thread at an interval.
    private func repeated(
        on loop: any EventLoop,
        every interval: TimeAmount,
        body: @escaping @Sendable (AuditLog) -> Void
    ) -> RepeatedTask {
        loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [self] _ in
            self.onPool { body(self) }
        }
    }

    /// Runs work on the background thread, in order; drops it once the pool is shut down.
    private func onPool(_ body: @escaping @Sendable () -> Void) {
        self.pool.submit { state in
            if state == .active { body() }
        }
    }

    /// Stops the timers.
    func cancel() {
        for task in self.tasks.withLock({ $0 }) { task.cancel() }
    }

    /// Writes what waits, seals the log, and ends the thread.
    func stop() async throws {
        self.append(AuditRecord(event: "gateway stop", actor: "gatepost"))
        // The event loops of the callers have ended.
        self.queue.withLock { _ = $0.commits.takeAll() }
        await withCheckedContinuation { continuation in
            self.pool.submit { [self] state in
                if state == .active {
                    self.queue.withLock { queue in
                        let due = queue.refusals.flush() + queue.logins.flush()
                        queue.waiting += due.map { (self.now(), $0) }
                    }
                    self.write()
                    self.seal()
                }
                continuation.resume()
            }
        }
        try await self.pool.shutdownGracefully()
    }

    /// Queues a record, or counts it if its actor has too many. Returns at once.
    func append(_ record: AuditRecord) {
        let moment = self.now()
        self.queue.withLock { queue in
            queue.addDue(at: moment)
            guard queue.refusals.admits(record), queue.logins.admits(record) else { return }
            _ = queue.append(record, at: moment)
        }
    }

    /// Queues a record, and writes it without delay, in one transaction with all records that wait.
    /// Returns at once.
    /// - Parameters:
    ///   - loop: the event loop on which `done` is called.
    ///   - done: receives whether the record is on the disk. If not, it may be written later.
    func commit(
        _ record: AuditRecord,
        on loop: any EventLoop,
        done: @escaping @Sendable (Bool) -> Void
    ) {
        let moment = self.now()
        let (isQueued, isWriteDue) = self.queue.withLock { queue -> (Bool, Bool) in
            queue.addDue(at: moment)
            guard queue.append(record, at: moment) else { return (false, true) }
            let number = queue.written + UInt64(queue.waiting.count)
            queue.commits.append(CommitQueue.Commit(number: number, loop: loop, done: done))
            defer { queue.isWriteDue = true }
            return (true, queue.isWriteDue)
        }
        guard isQueued else { return loop.execute { done(false) } }
        // The records of other sessions that arrive until the write begins are part of it.
        if !isWriteDue { self.onPool { self.write() } }
    }

    // MARK: - On the pool's thread

    /// Writes all waiting records.
    private func write() {
        let hasLost = self.queue.withLock { queue in
            queue.isWriteDue = false
            return queue.lost > 0
        }
        if hasLost { self.changed(isFailing: true) }
        while let batch = self.nextBatch() {
            do {
                try self.store.audit(batch)
                let commits = self.queue.withLock { queue in
                    queue.waiting.removeFirst(batch.count)
                    queue.written += UInt64(batch.count)
                    return queue.commits.take(through: queue.written)
                }
                commits.finish(isCommitted: true)
            } catch let error as StoreError where error.kind == .replaced {
                // The store's follower opens the next file, or suspends shared access itself.
                return
            } catch {
                if !self.queue.withLock({ $0.isFailing }) {
                    self.logger.error(
                        "the audit log cannot be written",
                        metadata: ["error": "\(error)", "waiting": "\(batch.count) and more"]
                    )
                }
                self.changed(isFailing: true)
                // After the change: no session may open anything else when it learns of this.
                return self.queue.withLock { $0.commits.takeAll() }.finish(isCommitted: false)
            }
        }
        self.changed(isFailing: false)
    }

    /// The next records to write. Once all others are written, a record states how many were lost.
    private func nextBatch() -> [(moment: Moment, record: AuditRecord)]? {
        self.queue.withLock { queue in
            queue.addDue(at: self.now())
            if queue.waiting.isEmpty, queue.lost > 0 {
                var record = AuditRecord(event: "lost", outcome: .failed, actor: "gatepost")
                record.count = queue.lost
                record.detail = ["the queue of the audit log was full"]
                queue.waiting.append((self.now(), record))
                queue.lost = 0
            }
            return queue.waiting.isEmpty ? nil : Array(queue.waiting.prefix(Self.maximumBatch))
        }
    }

    /// Records whether the log can be written, and reports a change.
    private func changed(isFailing: Bool) {
        let hasChanged = self.queue.withLock { queue in
            defer { queue.isFailing = isFailing }
            return queue.isFailing != isFailing
        }
        guard hasChanged else { return }
        if !isFailing { self.logger.notice("the audit log can be written again") }
        self.whenChanged.withLock { $0 }?(!isFailing)
    }

    /// Begins the log of a node that joins. A log with records is only begun by an administrator.
    private func begin() {
        do {
            guard let seal = try self.store.beginAudit(self.masterKey) else { return }
            self.logger.notice("audit log begun", metadata: ["seal": "\(seal.anchor)"])
        } catch {
            self.logger.error("the audit log cannot be begun", metadata: ["error": "\(error)"])
        }
    }

    /// Seals the records of the gateway and of commands that have no seal yet.
    private func seal() {
        do {
            guard let seal = try self.store.sealAudit(self.masterKey) else { return }
            self.logger.notice("audit log sealed", metadata: ["seal": "\(seal.anchor)"])
        } catch {
            self.logger.error("the audit log cannot be sealed", metadata: ["error": "\(error)"])
        }
    }

    /// Deletes records whose retention has passed.
    private func deleteOld() {
        guard let days = self.days else { return }
        let moment = Moment(seconds: self.now().seconds - Int64(days) * Self.secondsOfDay)
        do {
            let count = try self.store.deleteAudit(before: moment, masterKey: self.masterKey)
            guard count > 0 else { return }
            self.logger.notice("old audit records deleted", metadata: ["count": "\(count)"])
        } catch {
            self.logger.error(
                "old audit records cannot be deleted",
                metadata: ["error": "\(error)"]
            )
        }
    }
}
