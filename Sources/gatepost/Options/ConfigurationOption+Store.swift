import Gateway
import Store

/// The store of a configuration, and who may change it.
extension ConfigurationOption {
    /// The store, for a command that reads.
    /// - Throws: ``Failure`` where the running gateway has another file in force.
    func openStore() async throws -> PermissionStore {
        let configuration = try await self.load()
        try await StoreInPlace.require(configuration)
        return try PermissionStore(path: configuration.store, creates: false)
    }

    /// Whose an account is says who has to be asked: where owners are asked, or told, administrators
    /// decide it.
    func requireOwnersLeave(_ store: PermissionStore) async throws {
        let told = try await self.load().oversight.consent
        guard try store.consent(atLeast: told) != .off else { return }
        try store.requireRole(.administrator, actor: Actor.current)
    }

    /// The store, for a command that changes it.
    /// - Parameter role: that the actor has to have.
    func openForChange(
        _ role: Role = .settings
    ) async throws -> (store: PermissionStore, actor: String) {
        let store = try await self.openStore()
        let actor = Actor.current
        try store.requireRole(role, actor: actor)
        return (store, actor.recorded)
    }
}
