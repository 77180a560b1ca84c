import Access
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// What owners change from their mail clients: written off the event loops, and in force when it is
/// answered.
final class ACLWriter: Sendable {
    /// Changes of one owner in an hour, some for each of a hundred folders: the audit log keeps them all.
    static let maximumChanges = 600

    private let store: PermissionStore
    private let masterKey: MasterKey
    private let permissions: CurrentPermissions
    private let logger: Logger
    private let now: @Sendable () -> Moment
    private let writer: BackgroundWriter
    /// Of the hour that is running.
    private let changes = Mutex((hour: Int64(0), of: [UserID: Int]()))

    init(
        store: PermissionStore,
        masterKey: MasterKey,
        permissions: CurrentPermissions,
        writer: BackgroundWriter,
        logger: Logger,
        now: @escaping @Sendable () -> Moment = { .current }
    ) {
        self.logger = logger
        self.now = now
        self.writer = writer
        self.store = store
        self.masterKey = masterKey
        self.permissions = permissions
    }

    func change(
        _ change: ACLChange,
        from address: SocketAddress?,
        on loop: any EventLoop,
        answer: @escaping @Sendable (ACLChange.Outcome) -> Void
    ) {
        guard change.subject != nil else { return loop.execute { answer(.unknownIdentifier) } }
        guard self.count(change.owner, at: self.now()) else {
            return loop.execute { answer(.tooMany) }
        }
        let from = address?.ipAddress
        self.writer.submit {
            [store = self.store, masterKey, permissions = self.permissions, logger] in
            let outcome: ACLChange.Outcome
            // Into a store that is refused nothing is put: it would not be in force.
            guard !permissions.isRestricted(by: .store) else {
                return loop.execute { answer(.failed) }
            }
            do {
                outcome = try store.share(change, from: from)
                if outcome == .done { permissions.replace(with: try store.loadNext(masterKey)) }
            } catch {
                logger.error("sharing by hand failed", metadata: ["error": "\(error)"])
                return loop.execute { answer(.failed) }
            }
            loop.execute { answer(outcome) }
        }
    }

    /// - Returns: whether the owner may change something more in this hour.
    private func count(_ owner: UserID, at now: Moment) -> Bool {
        self.changes.withLock { changes in
            let hour = now.seconds / 3_600
            if changes.hour != hour { changes = (hour, [:]) }
            changes.of[owner, default: 0] += 1
            return changes.of[owner, default: 0] <= Self.maximumChanges
        }
    }
}
