import Access
package import Store
import Synchronization

/// What a running gateway tells of itself.
package struct GatewayState: Codable, Equatable, Sendable {
    /// Whether a path leads to where the gateway has its store; the socket is in the same folder.
    package func isStore(_ path: String) -> Bool { self.name == Self.name(path) }

    static func name(_ path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }

    /// The file that it has open as its store.
    package var store: FileIdentity?
    /// The name that it has in the folder of the gateway's socket.
    package var name: String?
    /// Of the permissions in force.
    package var revision: Int64
    /// Why shared mailboxes are refused; nil while they are open.
    package var problem: String?
    /// The file at the store's path, where it waits for an administrator's word.
    package var waiting: WaitingStore?
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
            name: GatewayState.name(self.store.path),
            revision: self.permissions.current.access.revision,
            problem: known.refusal?.description
                ?? (isAuditing
                    ? nil : "the audit log cannot be written: the gateway's log says why"),
            waiting: known.refusal?.waiting
        )
    }

    /// Puts what was read into force.
    /// - Returns: whether it was read from another file than before.
    func publish(_ published: StoreSnapshot) -> Bool {
        self.permissions.replace(with: published)
        let file = self.store.file
        return self.inForce.withLock { state in
            defer { state = State(file: file) }
            return state.file != file
        }
    }

    /// Refuses shared access until something is published.
    func refuse(_ refusal: StoreRefusal) {
        self.permissions.restrict(.store, isInForce: true)
        self.inForce.withLock { $0.refusal = refusal }
    }

    /// An administrator puts a file into force that lacks something.
    /// - Returns: whether this file waits for that, as it is described.
    func accept(_ waiting: WaitingStore) -> Bool {
        self.store.accept(waiting)
    }
}
