import Access
import Foundation
import LDAP
import Logging
import NIOCore
import Store
import Synchronization

/// Reads the members of groups from the directory, each group after an interval. Of several nodes, one
/// reads a group. A group whose members cannot be read keeps them.
///
/// Safe to use from any thread.
final class DirectoryGroupReader: Sendable {
    /// The time between two looks for groups that are due.
    private static let lookInterval = TimeAmount.seconds(10)

    typealias Reader =
        @Sendable (_ filter: String) throws(DirectoryError) -> DirectoryGroupPeople

    /// What the lock protects.
    private struct State {
        var task: RepeatedTask?
        /// Whether a thread reads groups.
        var isReading = false
        var isStopped = false
    }

    private let store: PermissionStore
    private let permissions: CurrentPermissions
    private let logger: Logger
    /// Seconds between two readings of a group.
    private let interval: Int64
    private let read: Reader
    private let state = Mutex(State())

    /// - Parameter read: reads the people in the groups that match a filter. Blocks.
    init(
        store: PermissionStore,
        permissions: CurrentPermissions,
        logger: Logger,
        interval: Int64,
        read: @escaping Reader
    ) {
        self.store = store
        self.permissions = permissions
        self.logger = logger
        self.interval = interval
        self.read = read
    }

    /// - Returns: nil for no directory, and for one that is not searched.
    convenience init?(
        _ directory: DirectorySettings?,
        store: PermissionStore,
        permissions: CurrentPermissions,
        logger: Logger
    ) {
        guard let directory, case .search = directory.lookup else { return nil }
        self.init(
            store: store,
            permissions: permissions,
            logger: logger,
            interval: Int64(directory.groupMinutes) * 60
        ) { filter throws(DirectoryError) in try directory.people(inGroups: filter) }
    }

    /// Looks for groups that are due, from now on.
    func start(on loop: any EventLoop) {
        let interval = Self.lookInterval
        let task = loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) {
            [weak self] _ in self?.look()
        }
        self.state.withLock { $0.task = task }
    }

    /// Looks no more. A reading that has begun is not waited for, and writes nothing.
    func stop() {
        self.state.withLock { state in
            state.isStopped = true
            state.task?.cancel()
            state.task = nil
        }
    }

    private var isStopped: Bool { self.state.withLock { $0.isStopped } }

    /// Reads the groups that are due, on a thread of its own: a directory may take minutes, and the
    /// gateway must be able to stop meanwhile.
    private func look() {
        guard !self.permissions.isRestricted(by: .store) else { return }
        let begins = self.state.withLock { state in
            guard !state.isReading, !state.isStopped else { return false }
            state.isReading = true
            return true
        }
        guard begins else { return }
        Thread.detachNewThread { [self] in
            self.readDue(at: .current)
            self.state.withLock { $0.isReading = false }
        }
    }

    /// Reads the groups that are due.
    func readDue(at now: Moment) {
        do {
            let groups = try self.store.claimDirectoryGroups(every: self.interval, at: now)
            var outage: DirectoryError?
            for group in groups where !self.isStopped {
                // A directory that does not answer for one group does not answer for the next.
                if let outage {
                    try self.failed(group, reason: outage.description)
                    continue
                }
                if case .unavailable? = try self.readMembers(of: group) {
                    outage = .unavailable("the directory did not answer for another group")
                }
            }
        } catch {
            guard !self.isStopped else { return }
            self.logger.warning(
                "cannot look for groups of the directory",
                metadata: ["error": "\(error)"]
            )
        }
    }

    /// - Returns: the error of the directory; nil if it answered.
    private func readMembers(of group: DirectoryGroup) throws -> DirectoryError? {
        let people: DirectoryGroupPeople
        do throws(DirectoryError) {
            people = try self.read(group.filter)
        } catch {
            try self.failed(group, reason: error.description)
            return error
        }
        guard !self.isStopped else { return nil }
        do {
            let change = try self.store.setMembers(
                of: group,
                to: people,
                actor: "gatepost",
                from: "serve"
            )
            guard !change.joined.isEmpty || !change.left.isEmpty else { return nil }
            self.logger.notice(
                "a group has other members in the directory",
                metadata: [
                    "group": "\(group.name)", "joined": "\(change.joined.count)",
                    "left": "\(change.left.count)",
                ]
            )
        } catch let error as StoreError {
            // The group is gone, or has another filter.
            self.logger.info(
                "the members of a group were read in vain",
                metadata: ["group": "\(group.name)", "reason": "\(error)"]
            )
        }
        return nil
    }

    private func failed(_ group: DirectoryGroup, reason: String) throws {
        guard !self.isStopped else { return }
        self.logger.warning(
            "cannot read the members of a group from the directory: they stay as they are",
            metadata: ["group": "\(group.name)", "reason": "\(reason)"]
        )
        try self.store.readingFailed(of: group, reason: reason, at: .current)
    }
}
