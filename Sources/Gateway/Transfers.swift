import Access
import Logging
import NIOCore
import NIOPosix
import Session
import Store
import Synchronization

/// The journal of messages on their way from one account to another, and whoever brings to an end
/// what was interrupted: by a server, by a client, or by the gateway's own end.
///
/// The journal is written off the event loops, in order.
final class Transfers: Sendable {
    /// Until a server that cannot be used is tried again; each time twice as long, up to the last.
    private static let retries: [TimeAmount] = [
        .seconds(15), .seconds(30), .minutes(1), .minutes(2), .minutes(5), .minutes(10),
    ]

    private let store: PermissionStore
    /// Until a server has stored what it got, be its connection gone; the last look is made then.
    private let settleTime: TimeAmount
    private let logger: Logger
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let environment = Mutex<Environment?>(nil)

    init(store: PermissionStore, settleTime: TimeAmount, logger: Logger) {
        self.store = store
        self.settleTime = settleTime
        self.logger = logger
    }

    /// Brings to an end what an earlier run left.
    func start(_ environment: Environment, on group: any EventLoopGroup) {
        self.environment.withLock { $0 = environment }
        self.pool.start()
        self.takeUp(on: group)
    }

    private func takeUp(on group: any EventLoopGroup) {
        let left: [Int64]
        do {
            left = try self.store.transfers()
        } catch {
            self.logger.error("the journal cannot be read", metadata: ["error": "\(error)"])
            group.next().scheduleTask(in: Self.retries[0]) { [self] in
                guard self.environment.withLock({ $0 }) != nil else { return }
                self.pool.submit { _ in self.takeUp(on: group) }
            }
            return
        }
        if !left.isEmpty {
            self.logger.notice("transfers were interrupted", metadata: ["count": "\(left.count)"])
        }
        for entry in left {
            self.resolve(Interrupted(entry: entry, standing: nil, loop: group.next()))
        }
    }

    func stop() async throws {
        self.environment.withLock { $0 = nil }
        try await self.pool.shutdownGracefully()
    }

    // MARK: - The journal

    func perform(
        _ request: JournalRequest,
        on loop: any EventLoop,
        _ answer: @escaping @Sendable (JournalAnswer) -> Void
    ) {
        switch request {
        case .record(let transfer):
            self.write(
                { try $0.recordTransfer(TransferRow(transfer)) },
                on: loop,
                { entry in
                    guard let entry else { return answer(.recorded(nil)) }
                    answer(entry.map { .recorded($0) } ?? .busy)
                }
            )
        case .confirm(let entry, let uids):
            let state = Transfer.State.copied.rawValue
            self.write(
                { try $0.setTransfer(entry, state: state, uids: uids) },
                on: loop,
                { answer(.confirmed($0 != nil)) }
            )
        case .forget(let entry):
            self.write(
                { try $0.forgetTransfer(entry) },
                on: loop,
                { answer(.forgotten($0 != nil)) }
            )
        case .resolve(let entry, let standing):
            self.resolve(
                Interrupted(entry: entry, standing: standing, loop: loop) { answer(.resolved($0)) }
            )
        }
    }

    /// - Parameter answer: gets nil where the journal could not be written.
    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (PermissionStore) throws -> Value,
        on loop: any EventLoop,
        _ answer: @escaping @Sendable (Value?) -> Void
    ) {
        self.pool.submit { [store = self.store, logger = self.logger] _ in
            do {
                let value = try body(store)
                loop.execute { answer(value) }
            } catch {
                logger.error("the journal cannot be written", metadata: ["error": "\(error)"])
                loop.execute { answer(nil) }
            }
        }
    }

    // MARK: - Bringing to an end

    /// A transfer that is being brought to its end.
    private struct Interrupted: Sendable {
        let entry: Int64
        /// Nil where only the journal knows: an earlier run left it.
        let standing: TransferStanding?
        let loop: any EventLoop
        /// Tries that found a server which cannot be used.
        var attempt = 0
        /// Looks at the target that found less than everything.
        var looks = 0
        /// Is called once, after the first try.
        var answer: (@Sendable (TransferResolution) -> Void)?

        init(
            entry: Int64,
            standing: TransferStanding?,
            loop: any EventLoop,
            _ answer: (@Sendable (TransferResolution) -> Void)? = nil
        ) {
            self.entry = entry
            self.standing = standing
            self.loop = loop
            self.answer = answer
        }

        mutating func tell(_ resolution: TransferResolution) {
            self.answer?(resolution)
            self.answer = nil
        }
    }

    private func resolve(_ interrupted: Interrupted) {
        let entry = interrupted.entry
        let known = interrupted.standing?.state.rawValue
        let read: @Sendable (PermissionStore) throws -> TransferRow? = { store in
            if let known { try store.setTransfer(entry, state: known) }
            return try store.transfer(entry)
        }
        self.write(read, on: interrupted.loop) { found in
            // Nil outside: the journal cannot be read; inside: nothing is left to be done.
            guard let found else { return self.tryLater(interrupted) }
            guard let row = found else {
                var interrupted = interrupted
                return interrupted.tell(.undone)
            }
            self.inspect(interrupted, row)
        }
    }

    private func inspect(_ interrupted: Interrupted, _ row: TransferRow) {
        let isCopied = row.state == Transfer.State.copied.rawValue
        let purpose = isCopied ? TransferRecovery.Purpose.complete : .identify
        self.converse(purpose, row, row.source, on: interrupted.loop) { outcome in
            switch outcome {
            case .identities(let identities):
                self.undo(interrupted, row, identities)
            case .done, .cannotRemove:
                self.finished(interrupted, isCopied ? .completed : .undone)
            case .gone:
                // Nothing is at the source that could be lost, or be there twice.
                self.finished(interrupted, isCopied ? .completed : .remains)
            case .refused, nil:
                self.tryLater(interrupted)
            }
        }
    }

    private func undo(
        _ interrupted: Interrupted,
        _ row: TransferRow,
        _ identities: [MessageIdentity]
    ) {
        self.converse(.undo(identities), row, row.target, on: interrupted.loop) { outcome in
            switch outcome {
            case .done(let count):
                self.removed(count, of: identities.count, interrupted)
            case .gone:
                self.finished(interrupted, .undone)
            case .cannotRemove:
                self.finished(interrupted, .remains)
            case .identities, .refused, nil:
                self.tryLater(interrupted)
            }
        }
    }

    /// - Parameter total: messages that the source still has.
    private func removed(_ count: Int, of total: Int, _ interrupted: Interrupted) {
        var (confirmed, isInDoubt) = (0, true)
        if case .begun(let stored, let doubt)? = interrupted.standing {
            (confirmed, isInDoubt) = (stored, doubt)
        }
        guard isInDoubt, count < total else {
            return self.finished(interrupted, count < confirmed ? .remains : .undone)
        }
        // Messages that the target has got, and has not stored yet, would come after this look.
        guard interrupted.looks < TransferRecovery.looks else {
            return self.finished(interrupted, .undone)
        }
        var next = interrupted
        next.tell(.postponed)
        next.looks += 1
        let time = TransferRecovery.wait(before: next.looks, of: self.settleTime.nanoseconds)
        self.resolve(next, in: .nanoseconds(time))
    }

    private func converse(
        _ purpose: TransferRecovery.Purpose,
        _ row: TransferRow,
        _ place: TransferRow.Place,
        on loop: any EventLoop,
        _ done: @escaping @Sendable (TransferRecovery.Outcome?) -> Void
    ) {
        guard let environment = self.environment.withLock({ $0 }),
            let target = environment.permissions.current.endpoints[place.account]
        else { return done(nil) }
        ConversationConnection.run(
            TransferRecovery(purpose, of: Transfer(row)),
            target,
            environment,
            self.pool,
            on: loop,
            done
        )
    }

    private func finished(_ interrupted: Interrupted, _ resolution: TransferResolution) {
        self.logger.notice(
            "an interrupted transfer was brought to its end",
            metadata: ["entry": "\(interrupted.entry)", "end": "\(resolution)"]
        )
        self.write(
            { try $0.forgetTransfer(interrupted.entry) },
            on: interrupted.loop,
            { _ in
                var interrupted = interrupted
                interrupted.tell(resolution)
            }
        )
    }

    /// A server, or the journal, cannot be used now.
    private func tryLater(_ interrupted: Interrupted) {
        var next = interrupted
        next.tell(.postponed)
        self.logger.warning(
            "an interrupted transfer cannot be brought to its end now",
            metadata: ["entry": "\(interrupted.entry)"]
        )
        next.attempt += 1
        self.resolve(next, in: Self.retries[min(interrupted.attempt, Self.retries.count - 1)])
    }

    private func resolve(_ interrupted: Interrupted, in time: TimeAmount) {
        interrupted.loop.scheduleTask(in: time) { [self] in
            guard self.environment.withLock({ $0 }) != nil else { return }
            self.resolve(interrupted)
        }
    }
}

extension TransferRow {
    fileprivate init(_ transfer: Transfer) {
        self.init(
            state: Transfer.State.begun.rawValue,
            moves: transfer.moves,
            source: Place(transfer.source),
            uids: transfer.uids,
            target: Place(transfer.target),
            uidNext: transfer.uidNext
        )
    }
}

extension TransferRow.Place {
    fileprivate init(_ place: Transfer.Place) {
        self.init(account: place.account, folder: place.folder, uidValidity: place.uidValidity)
    }

    fileprivate var place: Transfer.Place {
        Transfer.Place(
            account: self.account,
            folder: self.folder,
            uidValidity: self.uidValidity
        )
    }
}

extension Transfer {
    fileprivate init(_ row: TransferRow) {
        self.init(
            moves: row.moves,
            source: row.source.place,
            uids: row.uids,
            target: row.target.place,
            uidNext: row.uidNext
        )
    }
}
