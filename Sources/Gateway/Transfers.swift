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
    private let logger: Logger
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let environment = Mutex<Environment?>(nil)

    init(store: PermissionStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Brings to an end what an earlier run left.
    func start(_ environment: Environment, on group: any EventLoopGroup) {
        self.environment.withLock { $0 = environment }
        self.pool.start()
        let left = (try? self.store.transfers()) ?? []
        if !left.isEmpty {
            self.logger.notice("transfers were interrupted", metadata: ["count": "\(left.count)"])
        }
        for entry in left { self.resolve(entry, from: nil, on: group.next(), attempt: 0) { _ in } }
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
        case .resolve(let entry, let state):
            self.resolve(entry, from: state, on: loop, attempt: 0) { answer(.resolved($0)) }
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

    /// - Parameters:
    ///   - state: what is known better than in the journal.
    ///   - answer: is called once, after the first try.
    private func resolve(
        _ entry: Int64,
        from state: Transfer.State?,
        on loop: any EventLoop,
        attempt: Int,
        _ answer: @escaping @Sendable (TransferResolution) -> Void
    ) {
        let read: @Sendable (PermissionStore) throws -> TransferRow? = { store in
            if let state { try store.setTransfer(entry, state: state.rawValue) }
            return try store.transfer(entry)
        }
        self.write(read, on: loop) { found in
            // Nil outside: the journal cannot be read; inside: nothing is left to be done.
            guard let found else { return self.later(entry, on: loop, attempt, answer) }
            guard let row = found else { return answer(.undone) }
            self.inspect(entry, row, on: loop, attempt, answer)
        }
    }

    private func inspect(
        _ entry: Int64,
        _ row: TransferRow,
        on loop: any EventLoop,
        _ attempt: Int,
        _ answer: @escaping @Sendable (TransferResolution) -> Void
    ) {
        let isCopied = row.state == Transfer.State.copied.rawValue
        let transfer = Transfer(row)
        self.converse(isCopied ? .complete : .identify, transfer, row.source, on: loop) { outcome in
            switch outcome {
            case .identities(let identities):
                self.undo(entry, row, identities, on: loop, attempt, answer)
            case .done, .cannotRemove:
                self.finished(entry, isCopied ? .completed : .undone, on: loop, answer)
            case .gone:
                // Nothing is at the source that could be lost, or be there twice.
                self.finished(entry, isCopied ? .completed : .remains, on: loop, answer)
            case .refused, nil:
                self.later(entry, on: loop, attempt, answer)
            }
        }
    }

    private func undo(
        _ entry: Int64,
        _ row: TransferRow,
        _ identities: [MessageIdentity],
        on loop: any EventLoop,
        _ attempt: Int,
        _ answer: @escaping @Sendable (TransferResolution) -> Void
    ) {
        self.converse(.undo(identities), Transfer(row), row.target, on: loop) { outcome in
            switch outcome {
            case .done: self.finished(entry, .undone, on: loop, answer)
            case .gone: self.finished(entry, .undone, on: loop, answer)
            case .cannotRemove: self.finished(entry, .remains, on: loop, answer)
            case .identities, .refused, nil: self.later(entry, on: loop, attempt, answer)
            }
        }
    }

    private func converse(
        _ purpose: TransferRecovery.Purpose,
        _ transfer: Transfer,
        _ place: TransferRow.Place,
        on loop: any EventLoop,
        _ done: @escaping @Sendable (TransferRecovery.Outcome?) -> Void
    ) {
        guard let environment = self.environment.withLock({ $0 }),
            let target = environment.permissions.current.endpoints[place.account]
        else { return done(nil) }
        ConversationConnection.run(
            TransferRecovery(purpose, of: transfer),
            target,
            environment,
            self.pool,
            on: loop,
            done
        )
    }

    private func finished(
        _ entry: Int64,
        _ resolution: TransferResolution,
        on loop: any EventLoop,
        _ answer: @escaping @Sendable (TransferResolution) -> Void
    ) {
        self.logger.notice(
            "an interrupted transfer was brought to its end",
            metadata: ["entry": "\(entry)", "end": "\(resolution)"]
        )
        self.write({ try $0.forgetTransfer(entry) }, on: loop, { _ in answer(resolution) })
    }

    private func later(
        _ entry: Int64,
        on loop: any EventLoop,
        _ attempt: Int,
        _ answer: @escaping @Sendable (TransferResolution) -> Void
    ) {
        answer(.postponed)
        self.logger.warning(
            "an interrupted transfer cannot be brought to its end now",
            metadata: ["entry": "\(entry)"]
        )
        let time = Self.retries[min(attempt, Self.retries.count - 1)]
        loop.scheduleTask(in: time) { [self] in
            guard self.environment.withLock({ $0 }) != nil else { return }
            self.resolve(entry, from: nil, on: loop, attempt: attempt + 1) { _ in }
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
