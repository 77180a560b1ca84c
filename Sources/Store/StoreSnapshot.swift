package import Access

/// Everything that a running gateway needs from the store, as of one moment. Immutable, so any
/// thread may read it.
package final class StoreSnapshot: Sendable {
    /// The rules, from which `Access` decides.
    package let access: Snapshot
    /// The servers and sealed credentials, by account.
    package let endpoints: PersistentTable<AccountID, UpstreamAccount>
    /// The password hashes of users who have one.
    package let passwords: PersistentTable<UserID, PasswordRecord>
    /// The app passwords of users who have some.
    private let appPasswords: PersistentTable<UserID, [AppPasswordRecord]>
    /// The number of the file in this process; a file that replaces another one has a higher
    /// number.
    private let generation: Int
    /// The users whose decisions changed lately.
    private let history: SnapshotHistory
    /// Whether only owners have access.
    private let isRestricted: Bool

    /// Creates a snapshot from values that were read in one transaction.
    init(
        access: Snapshot,
        endpoints: PersistentTable<AccountID, UpstreamAccount>,
        passwords: PersistentTable<UserID, PasswordRecord>,
        appPasswords: PersistentTable<UserID, [AppPasswordRecord]> = PersistentTable(),
        generation: Int = 0,
        history: SnapshotHistory = SnapshotHistory(),
        isRestricted: Bool = false
    ) {
        self.access = access
        self.endpoints = endpoints
        self.passwords = passwords
        self.appPasswords = appPasswords
        self.generation = generation
        self.history = history
        self.isRestricted = isRestricted
    }

    /// The app passwords of a user, also those that have expired.
    package func appPasswords(of user: UserID) -> [AppPasswordRecord] {
        self.appPasswords[user] ?? []
    }

    /// Whether this snapshot is from an earlier file, or is an earlier revision of the same
    /// file.
    package func isOlder(than other: StoreSnapshot) -> Bool {
        (self.generation, self.access.revision) < (other.generation, other.access.revision)
    }

    /// Whether a user has the same password in both snapshots. A session must not continue with
    /// a password that was changed.
    package func knows(_ user: UserID, as before: StoreSnapshot) -> Bool {
        self.passwords[user]?.version == before.passwords[user]?.version
    }

    /// The snapshot of a later revision of the same file.
    /// - Parameters:
    ///   - passwords: The password hashes of the changed users who have one.
    ///   - appPasswords: The app passwords of the changed users who have some.
    ///   - endpoints: The servers of the changed accounts that exist.
    func applying(
        _ change: SnapshotChange,
        passwords: [UserID: PasswordRecord],
        appPasswords: [UserID: [AppPasswordRecord]],
        endpoints: [AccountID: UpstreamAccount]
    ) -> StoreSnapshot {
        var (nextPasswords, nextEndpoints) = (self.passwords, self.endpoints)
        var nextAppPasswords = self.appPasswords
        for user in change.users.keys {
            nextPasswords[user] = passwords[user]
            nextAppPasswords[user] = appPasswords[user]
        }
        for account in change.accounts.keys { nextEndpoints[account] = endpoints[account] }
        let next = self.access.applying(change)
        var history = self.history
        if change.revision > self.access.revision {
            history.append(
                from: self.access.revision,
                to: change.revision,
                affected: self.access.usersAffected(by: change, next: next)
            )
        }
        return StoreSnapshot(
            access: next,
            endpoints: nextEndpoints,
            passwords: nextPasswords,
            appPasswords: nextAppPasswords,
            generation: self.generation,
            history: history
        )
    }

    /// The same snapshot in an epoch of its own: every session evaluates its decisions anew.
    var withoutHistory: StoreSnapshot {
        StoreSnapshot(
            access: self.access,
            endpoints: self.endpoints,
            passwords: self.passwords,
            appPasswords: self.appPasswords,
            generation: self.generation
        )
    }

    /// Whether a decision about a user, or a server of the user's accounts, may differ from an
    /// earlier snapshot.
    package func mayDiffer(for user: UserID, from earlier: StoreSnapshot) -> Bool {
        self.isRestricted != earlier.isRestricted
            || self.history.mayAffect(
                user,
                since: earlier.access.revision,
                of: earlier.history
            )
    }

    /// Whether it was read from the file with this number.
    func isFrom(generation: Int) -> Bool { self.generation == generation }

    /// A snapshot in which only owners have access, for a gateway that cannot read its store:
    /// nobody keeps a right that may have been withdrawn.
    package var withoutSharing: StoreSnapshot {
        StoreSnapshot(
            access: self.access.withoutSharing,
            endpoints: self.endpoints,
            passwords: self.passwords,
            appPasswords: self.appPasswords,
            generation: self.generation,
            history: self.history,
            isRestricted: true
        )
    }
}
