import Access
import Logging
import Store
import Synchronization

/// Records when app passwords were used, in the background and once an hour at most.
///
/// Safe to use from any thread.
final class AppPasswordUses: Sendable {
    /// App passwords whose last record is known. Beyond the limit all are forgotten: each then costs one
    /// record more.
    private static let maximumEntries = 10_000
    /// Seconds between two records of one app password.
    private static let interval: Int64 = 3_600

    private let store: PermissionStore
    private let permissions: CurrentPermissions
    private let writer: BackgroundWriter
    private let logger: Logger
    /// When each was recorded last.
    private let recorded = Mutex<[AppPasswordID: Moment]>([:])

    init(
        store: PermissionStore,
        permissions: CurrentPermissions,
        writer: BackgroundWriter,
        logger: Logger
    ) {
        self.store = store
        self.permissions = permissions
        self.writer = writer
        self.logger = logger
    }

    /// Records a use, if none was recorded within an hour.
    func note(_ id: AppPasswordID) {
        let now = Moment.current
        let isDue = self.recorded.withLock { recorded in
            if let last = recorded[id], abs(now.seconds - last.seconds) < Self.interval {
                return false
            }
            if recorded.count >= Self.maximumEntries { recorded.removeAll() }
            recorded[id] = now
            return true
        }
        // Do not write to a store that is refused.
        guard isDue, !self.permissions.isRestricted(by: .store) else { return }
        self.writer.submit { [store, logger] in
            do {
                try store.appPasswordUsed(id, at: now)
            } catch {
                logger.warning(
                    "cannot record the use of an app password",
                    metadata: ["error": "\(error)"]
                )
            }
        }
    }
}
