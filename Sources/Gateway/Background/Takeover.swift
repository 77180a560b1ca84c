import Logging
import NIOCore
import Store
import Synchronization

/// Takes over what dead nodes left in a store that several nodes share: interrupted transfers, and
/// copies of sent messages.
final class Takeover: Sendable {
    private let store: PermissionStore
    private let transfers: Transfers
    private let sentCopies: SentCopies
    private let permissions: CurrentPermissions
    private let writer: BackgroundWriter
    private let logger: Logger
    private let leases: NodeLeases
    /// Whether a look is queued or runs. The database may take longer than the interval.
    private let isLooking = Atomic(false)
    private let task = Mutex<RepeatedTask?>(nil)

    /// - Parameter writer: the thread that reads and writes the store.
    init(
        store: PermissionStore,
        transfers: Transfers,
        sentCopies: SentCopies,
        permissions: CurrentPermissions,
        writer: BackgroundWriter,
        logger: Logger,
        leases: NodeLeases = NodeLeases()
    ) {
        self.store = store
        self.transfers = transfers
        self.sentCopies = sentCopies
        self.permissions = permissions
        self.writer = writer
        self.logger = logger
        self.leases = leases
    }

    /// Looks for dead nodes from now on. Does nothing for a store that is not shared.
    func start(on group: any EventLoopGroup) {
        guard self.store.isShared else { return }
        let interval = TimeAmount(NodeLeases.interval)
        self.task.withLock {
            $0 = group.next().scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
                self.lookLater(on: group)
            }
        }
    }

    /// Looks no more.
    func stop() {
        self.task.withLock { $0?.cancel() }
    }

    /// Looks on the background thread.
    private func lookLater(on group: any EventLoopGroup) {
        // A refused store may be an older one, whose entries were dealt with since.
        guard !self.permissions.isRestricted(by: .store),
            !self.isLooking.exchange(true, ordering: .relaxed)
        else { return }
        self.sentCopies.poll(on: group)
        self.writer.submit {
            self.look(on: group)
            self.isLooking.store(false, ordering: .relaxed)
        }
    }

    /// Takes over what is there. Blocks.
    func look(on group: any EventLoopGroup) {
        do {
            self.transfers.recover(try self.store.takeOver(self.leases), on: group)
        } catch {
            self.logger.warning(
                "cannot take over what dead nodes left; the gateway tries again",
                metadata: ["error": "\(error)"]
            )
        }
    }
}
