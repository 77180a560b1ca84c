import Gateway
import Store

/// Opens the store that the configuration names, after a check of the caller's role.
extension ConfigurationOption {
    /// Opens the store for a command that only reads.
    /// - Throws: ``Failure`` if the running gateway has another file in force, or `StoreError`.
    func openStore() async throws -> PermissionStore {
        try CryptographyCheck.require()
        let configuration = try await self.load()
        try await StoreInPlace.require(configuration)
        return try PermissionStore(configuration.storeLocation, creates: false)
    }

    /// Requires the role `administrator` where the mailbox owners are asked or notified.
    ///
    /// The owner of an account decides about grants on it. Who sets the owner therefore decides who
    /// is asked.
    /// - Throws: `StoreError` if the caller lacks the role.
    func requireOwnersLeave(_ store: PermissionStore) async throws {
        let told = try await self.load().oversight.consent
        guard try store.consent(atLeast: told) != .off else { return }
        try store.requireRole(.administrator, actor: Actor.current)
    }

    /// Opens the store for a command that changes it, or prints what only administrators may see.
    /// - Parameter role: the least role that the caller must have.
    /// - Returns: the store, and the caller's name for the audit log.
    /// - Throws: ``Failure`` or `StoreError` if the store is unusable or the caller lacks the role.
    func openForChange(
        _ role: Role = .settings
    ) async throws -> (store: PermissionStore, actor: String) {
        let store = try await self.openStore()
        let actor = Actor.current
        try store.requireRole(role, actor: actor)
        return (store, actor.recorded)
    }
}
