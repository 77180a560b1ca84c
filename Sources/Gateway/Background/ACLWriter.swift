import Access
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// Writes the grants that owners change from their mail clients (RFC 4314). The store is written on
/// a background thread, and a change is in force when it is answered.
final class ACLWriter: Sendable {
    /// Changes of one owner in an hour: several for each of a hundred folders. Without a limit a
    /// client could fill the audit log, which keeps them all.
    static let maximumChanges = 600

    private let store: PermissionStore
    /// Verifies the store when it is read again.
    private let masterKey: MasterKey
    /// Receives the changed snapshot.
    private let permissions: CurrentPermissions
    private let logger: Logger
    private let now: @Sendable () -> Moment
    private let writer: BackgroundWriter
    /// The changes of the present hour, by owner.
    private let changes = Mutex((hour: Int64(0), of: [UserID: Int]()))

    /// - Parameters:
    ///   - writer: the thread that writes the store.
    ///   - now: the clock, for the limit in an hour.
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

    /// Changes a grant.
    /// - Parameters:
    ///   - address: the client's address, for the audit log.
    ///   - answer: called once on `loop`, after the change is in force.
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
            // Do not write to a store that is refused: the change would not be in force.
            guard !permissions.isRestricted(by: .store) else {
                return loop.execute { answer(.failed) }
            }
            do {
                outcome = try store.share(change, from: from)
                if outcome == .done {
                    let next = try store.loadNext(masterKey, after: permissions.published)
                    permissions.replace(with: next)
                }
            } catch {
                logger.error(
                    "cannot write a change of SETACL or DELETEACL to the store",
                    metadata: ["error": "\(error)"]
                )
                return loop.execute { answer(.failed) }
            }
            loop.execute { answer(outcome) }
        }
    }

    /// Counts a change.
    /// - Returns: whether the owner may change more in this hour.
    private func count(_ owner: UserID, at now: Moment) -> Bool {
        self.changes.withLock { changes in
            let hour = now.seconds / 3_600
            if changes.hour != hour { changes = (hour, [:]) }
            changes.of[owner, default: 0] += 1
            return changes.of[owner, default: 0] <= Self.maximumChanges
        }
    }
}
