import Access
import Logging
import NIOCore
import NIOPosix
import Store
import Synchronization

/// Records on their way into the audit log: written in batches, off the event loops, from a queue
/// with a bound. It also seals the log, and deletes what is older than it is to be kept.
final class AuditLog: Sendable {
    /// Records that wait at most: some seconds of everything a busy gateway does.
    static let maximumWaiting = 20_000
    private static let maximumBatch = 2_000
    private static let interval = TimeAmount.milliseconds(200)
    private static let sealInterval = TimeAmount.seconds(60)
    private static let retentionInterval = TimeAmount.hours(1)
    private static let secondsOfDay: Int64 = 86_400

    private struct Queue {
        var waiting: [(moment: Moment, record: AuditRecord)] = []
        /// Records for which there was no room.
        var lost = 0
        var refusals = AuditRateLimiter()
        var logins = LoginLimiter()
        var isFailing = false

        /// Adds what stands for records that were only counted.
        mutating func addDue(at moment: Moment) {
            let due = self.refusals.due(at: moment) + self.logins.due(at: moment)
            self.waiting += due.map { (moment, $0) }
        }
    }

    private let store: PermissionStore
    private let masterKey: MasterKey
    private let days: Int?
    private let logger: Logger
    private let now: @Sendable () -> Moment
    /// Writes, seals and deletes, in order.
    let pool = NIOThreadPool(numberOfThreads: 1)
    private let queue = Mutex(Queue())
    private let tasks = Mutex<[RepeatedTask]>([])
    private let whenChanged = Mutex<(@Sendable (Bool) -> Void)?>(nil)

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

    /// - Parameter whenChanged: is told whether the log can be written, whenever that changes.
    func start(on group: any EventLoopGroup, _ whenChanged: @escaping @Sendable (Bool) -> Void) {
        self.pool.start()
        self.whenChanged.withLock { $0 = whenChanged }
        self.append(AuditRecord(event: "gateway start", actor: "gatepost"))
        let loop = group.next()
        self.tasks.withLock { tasks in
            tasks = [
                self.repeated(on: loop, every: Self.interval) { $0.write() },
                self.repeated(on: loop, every: Self.sealInterval) { $0.seal() },
                self.repeated(on: loop, every: Self.retentionInterval) { $0.deleteOld() },
            ]
        }
        self.onPool { [self] in
            self.write()
            self.seal()
            self.deleteOld()
        }
    }

    private func repeated(
        on loop: any EventLoop,
        every interval: TimeAmount,
        _ body: @escaping @Sendable (AuditLog) -> Void
    ) -> RepeatedTask {
        loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [self] _ in
            self.onPool { body(self) }
        }
    }

    /// Runs on the pool's one thread, in order. What a pool that is shut down throws away is not run.
    private func onPool(_ body: @escaping @Sendable () -> Void) {
        self.pool.submit { state in
            if state == .active { body() }
        }
    }

    /// Nothing is written by itself any more.
    func cancel() {
        for task in self.tasks.withLock({ $0 }) { task.cancel() }
    }

    /// Writes what waits, and seals the log.
    func stop() async throws {
        self.append(AuditRecord(event: "gateway stop", actor: "gatepost"))
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

    func append(_ record: AuditRecord) {
        let moment = self.now()
        self.queue.withLock { queue in
            queue.addDue(at: moment)
            guard queue.refusals.admits(record), queue.logins.admits(record) else { return }
            guard queue.waiting.count < Self.maximumWaiting else {
                queue.lost += 1
                return
            }
            queue.waiting.append((moment, record))
        }
    }

    // MARK: - On the pool's thread

    private func write() {
        if self.queue.withLock({ $0.lost > 0 }) { self.changed(isFailing: true) }
        while let batch = self.nextBatch() {
            do {
                try self.store.audit(batch)
                self.queue.withLock { $0.waiting.removeFirst(batch.count) }
            } catch let error as StoreError where error.kind == .replaced {
                // What follows the store opens the next file, or refuses shared mailboxes itself.
                return
            } catch {
                if !self.queue.withLock({ $0.isFailing }) {
                    self.logger.error(
                        "the audit log cannot be written",
                        metadata: ["error": "\(error)", "waiting": "\(batch.count) and more"]
                    )
                }
                return self.changed(isFailing: true)
            }
        }
        self.changed(isFailing: false)
    }

    /// Once everything else is written, what there was no room for is told.
    private func nextBatch() -> [(moment: Moment, record: AuditRecord)]? {
        self.queue.withLock { queue in
            queue.addDue(at: self.now())
            if queue.waiting.isEmpty, queue.lost > 0 {
                var record = AuditRecord(event: "lost", outcome: .failed, actor: "gatepost")
                record.count = queue.lost
                record.detail = ["there was no room for so many records"]
                queue.waiting.append((self.now(), record))
                queue.lost = 0
            }
            return queue.waiting.isEmpty ? nil : Array(queue.waiting.prefix(Self.maximumBatch))
        }
    }

    private func changed(isFailing: Bool) {
        let hasChanged = self.queue.withLock { queue in
            defer { queue.isFailing = isFailing }
            return queue.isFailing != isFailing
        }
        guard hasChanged else { return }
        if !isFailing { self.logger.notice("the audit log can be written again") }
        self.whenChanged.withLock { $0 }?(!isFailing)
    }

    /// What commands have changed is sealed, too.
    private func seal() {
        do {
            guard let seal = try self.store.sealAudit(self.masterKey) else { return }
            self.logger.notice("audit log sealed", metadata: ["seal": "\(seal.anchor)"])
        } catch {
            self.logger.error("the audit log cannot be sealed", metadata: ["error": "\(error)"])
        }
    }

    private func deleteOld() {
        guard let days = self.days else { return }
        let moment = Moment(seconds: self.now().seconds - Int64(days) * Self.secondsOfDay)
        do {
            let count = try self.store.deleteAudit(before: moment, self.masterKey)
            guard count > 0 else { return }
            self.logger.notice("old audit records deleted", metadata: ["count": "\(count)"])
        } catch {
            self.logger.error("old audit records stay", metadata: ["error": "\(error)"])
        }
    }
}
