import Access
import Foundation

/// What became of the store.
package enum StoreChange: Sendable {
    case published(Published)
    /// What is known of it may be out of date; the next that is published ends this.
    case unreadable(StoreRefusal)
}

extension PermissionStore {
    /// Yields whenever the file was changed or replaced, by whichever process, when a grant has ended,
    /// and when the file cannot be read, until the task ends.
    ///
    /// - Parameters:
    ///   - interval: between two looks at the file; a replacement counts after two of them.
    ///   - masterKey: with which a file that takes the place of the one in force was sealed.
    package func changes(
        every interval: Duration,
        masterKey: MasterKey
    ) -> AsyncStream<StoreChange> {
        AsyncStream { continuation in
            let task = Task {
                var follower = StoreFollower(store: self, masterKey: masterKey)
                while !Task.isCancelled {
                    if let change = follower.look() { continuation.yield(change) }
                    try? await Task.sleep(for: interval)
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

/// Looks at a store again and again, and tells what is new.
private struct StoreFollower {
    /// Looks in a row that fail before that is told: with five looks a second, shared mailboxes are
    /// closed within a second. A file that is missing or refused is told at once.
    private static let patience = 3

    let store: PermissionStore
    let masterKey: MasterKey
    private var known: Published?
    private var expiry: Moment?
    private var failures = 0
    /// What was told last of a file that cannot be used.
    private var refusal: StoreRefusal?

    init(store: PermissionStore, masterKey: MasterKey) {
        self.store = store
        self.masterKey = masterKey
    }

    /// - Returns: nil where nothing is new.
    mutating func look() -> StoreChange? {
        do {
            let published = try self.newest()
            self.failures = 0
            guard let published else { return nil }
            self.known = published
            self.expiry = published.access.nextExpiry(after: .current)
            self.refusal = nil
            return .published(published)
        } catch let refusal as StoreRefusal {
            self.failures = 0
            return self.refused(refusal)
        } catch {
            self.failures += 1
            guard self.failures >= Self.patience else { return nil }
            return self.refused(StoreRefusal("\(error)"))
        }
    }

    private mutating func refused(_ refusal: StoreRefusal) -> StoreChange? {
        guard self.refusal != refusal else { return nil }
        self.refusal = refusal
        return .unreadable(refusal)
    }

    private func newest() throws -> Published? {
        if let replaced = try self.store.adoptReplacement(self.masterKey, after: self.known) {
            return replaced
        }
        let revision = try self.store.revision()
        if let known = self.known, revision < known.access.revision {
            // An older copy was written into the same file, as `sqlite3 .restore` does.
            try self.store.requireNotOlder(revision, than: known.access.revision)
            self.store.beginGeneration()
            return try self.store.load()
        }
        let hasEnded = self.expiry.map { $0 <= .current } ?? false
        guard self.refusal != nil || hasEnded || revision != self.known?.access.revision else {
            return nil
        }
        return try self.store.load()
    }
}
