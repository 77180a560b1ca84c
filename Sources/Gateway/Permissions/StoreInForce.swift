import Access
package import Store
import Synchronization

/// What a running gateway reports about itself to `doctor` and `store`.
package struct GatewayState: Codable, Equatable, Sendable {
    /// Whether a path names the file that the gateway uses as its store, in the folder of the
    /// control socket.
    package func isStore(_ path: String) -> Bool { self.name == Self.name(path) }

    /// The last component of a path.
    static func name(_ path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }

    /// The identity of the open store file; nil if it is unknown.
    package var store: FileIdentity?
    /// The store's file name in the folder of the control socket.
    package var name: String?
    /// The revision of the permissions in force.
    package var revision: Int64
    /// Why shared mailboxes are refused; nil while they are open.
    package var problem: String?
    /// A file at the store's path that waits for `store accept`.
    package var waiting: WaitingStore?
    /// Messages that went out without a copy in Sent; nil in the answer of an older version.
    package var missingCopies: [MissingSentCopy]?
}

/// The store as sessions see it: the last snapshot that was read, or the reason why none is
/// trusted. Safe to use from any thread.
final class StoreInForce: Sendable {
    /// What the lock protects.
    private struct State {
        /// The identity of the file that the last snapshot was read from.
        var file: FileIdentity?
        /// Why the store's file is refused; nil while it is used.
        var refusal: StoreRefusal?
    }

    private let store: PermissionStore
    private let permissions: CurrentPermissions
    /// Locked for short work only.
    private let inForce: Mutex<State>

    init(_ store: PermissionStore, permissions: CurrentPermissions) {
        self.store = store
        self.permissions = permissions
        self.inForce = Mutex(State(file: store.file))
    }

    /// The report for the control socket.
    var state: GatewayState {
        let known = self.inForce.withLock { $0 }
        let isAuditing = !self.permissions.isRestricted(by: .auditLog)
        return GatewayState(
            store: known.file,
            name: GatewayState.name(self.store.path),
            revision: self.permissions.current.access.revision,
            problem: known.refusal?.description
                ?? (isAuditing
                    ? nil : "the audit log cannot be written: see the gateway's log"),
            waiting: known.refusal?.waiting
        )
    }

    /// Puts a snapshot into force.
    /// - Returns: whether it was read from another file than the previous one.
    func publish(_ published: StoreSnapshot) -> Bool {
        self.permissions.replace(with: published)
        let file = self.store.file
        return self.inForce.withLock { state in
            defer { state = State(file: file) }
            return state.file != file
        }
    }

    /// Suspends shared access until the next ``publish(_:)``.
    func refuse(_ refusal: StoreRefusal) {
        self.permissions.restrict(.store, isInForce: true)
        self.inForce.withLock { $0.refusal = refusal }
    }

    /// An administrator accepts a file that lacks earlier changes.
    /// - Returns: whether exactly this file waits for that.
    func accept(_ waiting: WaitingStore) -> Bool {
        self.store.accept(waiting)
    }
}
