import Access
package import Store
import Synchronization

/// What a running gateway tells of itself.
package struct GatewayState: Codable, Equatable, Sendable {
    /// The file that it has open as its store.
    package var store: FileIdentity?
    /// Of the permissions in force.
    package var revision: Int64
    /// Why shared mailboxes are refused; nil while they are open.
    package var problem: String?
    /// The revision of the file at the store's path, where it waits for an administrator's word.
    package var olderRevision: Int64?
}

/// The store as it counts for sessions: what was read last, or why nothing more is believed.
final class StoreInForce: Sendable {
    private struct State {
        var file: FileIdentity?
        var refusal: StoreRefusal?
    }

    private let store: PermissionStore
    private let permissions: CurrentPermissions
    private let inForce: Mutex<State>

    init(_ store: PermissionStore, permissions: CurrentPermissions) {
        self.store = store
        self.permissions = permissions
        self.inForce = Mutex(State(file: store.file))
    }

    var state: GatewayState {
        let known = self.inForce.withLock { $0 }
        let isAuditing = !self.permissions.isRestricted(by: .auditLog)
        return GatewayState(
            store: known.file,
            revision: self.permissions.current.access.revision,
            problem: known.refusal?.description
                ?? (isAuditing
                    ? nil : "the audit log cannot be written: the gateway's log says why"),
            olderRevision: known.refusal?.olderRevision
        )
    }

    /// Puts what was read into force.
    /// - Returns: whether it was read from another file than before.
    func publish(_ published: Published) -> Bool {
        self.permissions.replace(with: published)
        let file = self.store.file
        return self.inForce.withLock { state in
            defer { state = State(file: file) }
            return state.file != file
        }
    }

    /// Refuses shared access until something is published.
    func refuse(_ refusal: StoreRefusal) {
        self.permissions.restrict(.store, true)
        self.inForce.withLock { $0.refusal = refusal }
    }

    /// An administrator puts a file into force whose revision is older.
    func accept(revision: Int64) {
        self.store.acceptOlder(revision: revision)
    }
}
