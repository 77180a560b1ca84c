import Access
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// The journal of transfers between accounts, and the recovery of transfers that a server, a client
/// or the end of the gateway has interrupted. The journal is read and written on a background
/// thread, in order.
final class Transfers: Sendable {
    /// The times before the next attempts with an unusable server; the last one repeats.
    static let retries: [TimeAmount] = [
        .seconds(15), .seconds(30), .minutes(1), .minutes(2), .minutes(5), .minutes(10),
    ]

    let store: PermissionStore
    /// The time in which a server has stored what it received, even if its connection is lost; the
    /// last look at the target follows it.
    let settleTime: TimeAmount
    let logger: Logger
    /// The thread that reads and writes the journal.
    let writer: BackgroundWriter
    /// Nil before ``start(_:on:)`` and after ``stop()``.
    let upstream = Mutex<UpstreamServices?>(nil)

    init(
        store: PermissionStore,
        settleTime: TimeAmount,
        writer: BackgroundWriter,
        logger: Logger
    ) {
        self.writer = writer
        self.store = store
        self.settleTime = settleTime
        self.logger = logger
    }

    /// Recovers what an earlier run left. Blocks.
    ///
    /// In a store that nodes share, those entries are taken over like those of any dead process
    /// (``Takeover``).
    func start(_ upstream: UpstreamServices, on group: any EventLoopGroup) {
        self.upstream.withLock { $0 = upstream }
        if !self.store.isShared { self.takeUp(on: group) }
    }

    /// Reads the journal and begins to recover each transfer.
    private func takeUp(on group: any EventLoopGroup) {
        let left: [Int64]
        do {
            left = try self.store.transfers()
        } catch {
            self.logger.error(
                "the journal of transfers cannot be read",
                metadata: ["error": "\(error)"]
            )
            group.next().scheduleTask(in: Self.retries[0]) { [self] in
                guard self.upstream.withLock({ $0 }) != nil else { return }
                self.writer.submit { self.takeUp(on: group) }
            }
            return
        }
        self.recover(left, on: group)
    }

    /// Begins to recover transfers that another process began.
    func recover(_ entries: [Int64], on group: any EventLoopGroup) {
        guard !entries.isEmpty else { return }
        self.logger.notice(
            "recovering interrupted transfers",
            metadata: ["count": "\(entries.count)"]
        )
        for entry in entries {
            self.resolve(Interrupted(entry: entry, interruptedState: nil, loop: group.next()))
        }
    }

    /// Starts no further attempt.
    func stop() {
        self.upstream.withLock { $0 = nil }
    }

    // MARK: - The journal

    /// Performs a session's request to the journal.
    /// - Parameter answer: called on `loop`.
    func perform(
        _ request: JournalRequest,
        on loop: any EventLoop,
        answer: @escaping @Sendable (JournalAnswer) -> Void
    ) {
        switch request {
        case .record(let transfer):
            let number = Int64.random(in: 1..<Int64.max)
            self.write(
                { try $0.recordTransfer(transfer, as: number) },
                on: loop,
                answer: { entry in
                    guard let entry else {
                        self.completeLater(number, on: loop, attempt: 0)
                        return answer(.recorded(nil))
                    }
                    answer(entry.map { .recorded($0) } ?? .busy)
                }
            )
        case .append(let entry, let append):
            let begin = ContinuousClock.now
            self.write(
                { try $0.recordAppend(append, of: entry) },
                on: loop,
                answer: { answer(.appending($0 != nil && self.isValid(since: begin))) }
            )
        case .confirm(let entry, let uids, let last):
            self.write(
                { try $0.setTransfer(entry, state: .copied, uids: uids, last: last) },
                on: loop,
                answer: { answer(.confirmed($0 != nil)) }
            )
        case .forget(let entry):
            self.write(
                { try $0.forgetTransfer(entry) },
                on: loop,
                answer: { forgotten in
                    answer(.forgotten(forgotten != nil))
                    if forgotten == nil { self.completeLater(entry, on: loop, attempt: 0) }
                }
            )
        case .resolve(let entry, let interruptedState):
            self.resolve(
                Interrupted(entry: entry, interruptedState: interruptedState, loop: loop) {
                    answer(.resolved($0))
                }
            )
        }
    }

    /// Whether an entry that was confirmed is still this process's. A process that was paused
    /// meanwhile must not complete an APPEND: another node may be undoing the transfer.
    /// - Parameter begin: when the confirmation was asked for.
    private func isValid(since begin: ContinuousClock.Instant) -> Bool {
        !self.store.isShared || .now - begin < NodeLeases.validity
    }

    /// Reads or writes the journal on the background thread.
    /// - Parameter answer: called on `loop`; receives nil if the journal cannot be used.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (PermissionStore) throws -> Value,
        on loop: any EventLoop,
        answer: @escaping @Sendable (Value?) -> Void
    ) {
        self.writer.submit { [store = self.store, logger = self.logger] in
            do {
                let value = try body(store)
                loop.execute { answer(value) }
            } catch {
                logger.error(
                    "the journal of transfers cannot be written",
                    metadata: ["error": "\(error)"]
                )
                loop.execute { answer(nil) }
            }
        }
    }
}
