package import Access

/// Everything a running gateway needs from the store, at one moment; immutable.
package final class StoreSnapshot: Sendable {
    package let access: Snapshot
    package let endpoints: [AccountID: UpstreamAccount]
    package let passwords: [UserID: PasswordRecord]
    /// Counts the files that were the store since the process began.
    private let generation: Int

    init(
        access: Snapshot,
        endpoints: [AccountID: UpstreamAccount],
        passwords: [UserID: PasswordRecord],
        generation: Int = 0
    ) {
        self.access = access
        self.endpoints = endpoints
        self.passwords = passwords
        self.generation = generation
    }

    /// Whether it was read from an earlier file, or is an earlier revision of the same one.
    package func isOlder(than other: StoreSnapshot) -> Bool {
        (self.generation, self.access.revision) < (other.generation, other.access.revision)
    }

    /// Whether a user logs in with the same password as before.
    package func knows(_ user: UserID, as before: StoreSnapshot) -> Bool {
        self.passwords[user]?.version == before.passwords[user]?.version
    }

    /// The same with owners alone.
    package var withoutSharing: StoreSnapshot {
        StoreSnapshot(
            access: self.access.withoutSharing,
            endpoints: self.endpoints,
            passwords: self.passwords,
            generation: self.generation
        )
    }
}
