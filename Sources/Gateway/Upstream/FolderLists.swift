import Access
import NIOCore
import NIOPosix
import Session
import Store
import Synchronization

/// A cache of the folders that mail servers listed, shared by all sessions.
///
/// A session with many shared accounts need not connect to each of them to answer LIST, and can
/// list folders of a server that does not answer. The cache applies no rights: each session does
/// that when it lists folders.
///
/// Safe to use from any event loop.
final class FolderLists: Sendable {
    /// One cached list.
    private struct Entry {
        /// The server, and the credential there, that the list is from.
        var server: UpstreamAccount.Server
        /// The folders, without any rights applied.
        var folders: KnownFolders
        /// When the server sent the list.
        var listed: NIODeadline
        /// The account's generation when the list was requested.
        var generation: UInt64
    }

    /// What the lock protects. Two generations of entries bound the memory without a search for the
    /// oldest entry.
    private struct State {
        /// Entries added since the last rotation.
        var recent: [FolderListKey: Entry] = [:]
        /// The size of `recent` in octets.
        var recentSize = 0
        /// Entries from before the last rotation.
        var previous: [FolderListKey: Entry] = [:]
        /// How often the gateway saw folders of an account created, renamed or deleted.
        var generations: [AccountID: UInt64] = [:]
    }

    /// How long a list is used without a refresh.
    private static let freshTime = TimeAmount.seconds(60)
    /// Octets of all lists: about a million folders. At the limit the older half is dropped at
    /// once, so no event loop searches for the oldest entries.
    private static let maximumSize = 64 * 1_024 * 1_024
    /// The size of an entry besides its folders, in octets.
    private static let sizeOfEntry = 512

    /// `limits.folderListSeconds`.
    private let lifetime: TimeAmount
    private let now: @Sendable () -> NIODeadline
    private let state = Mutex(State())

    /// - Parameters:
    ///   - lifetime: how long a list may be shown without waiting for the server.
    ///   - now: the clock.
    init(lifetime: TimeAmount, now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.lifetime = lifetime
        self.now = now
    }

    // MARK: - Lookup

    /// What is cached for an account; empty for a list of another server or credential.
    func knowledge(of key: FolderListKey, account: UpstreamAccount) -> FolderKnowledge {
        let now = self.now()
        return self.state.withLock { state in
            var knowledge = FolderKnowledge()
            knowledge.generation = state.generations[account.id] ?? 0
            guard let entry = state.recent[key] ?? state.previous[key],
                entry.server == account.server
            else { return knowledge }
            let age = now - entry.listed
            knowledge.folders = entry.folders
            knowledge.isCurrent =
                age < self.lifetime && entry.generation == knowledge.generation
            knowledge.isAging = age >= Self.freshTime
            return knowledge
        }
    }

    /// Caches a list.
    /// - Parameter generation: ``generation(of:)`` from before the list was requested: a folder
    ///   that was created while the server listed is not in the list.
    func keep(
        _ folders: KnownFolders,
        as key: FolderListKey,
        of account: UpstreamAccount,
        generation: UInt64
    ) {
        let now = self.now()
        let dropped = self.state.withLock { state -> [FolderListKey: Entry] in
            let recent = state.recent.removeValue(forKey: key)
            state.recentSize -= recent.map(Self.size) ?? 0
            let before = recent ?? state.previous[key]
            state.previous[key] = nil
            let earlier = before.flatMap { $0.server == account.server ? $0.folders : nil }
            let entry = Entry(
                server: account.server,
                folders: folders.withSubscriptions(of: earlier),
                listed: now,
                generation: generation
            )
            guard Self.size(of: entry) <= Self.maximumSize / 4 else { return [:] }
            state.recent[key] = entry
            state.recentSize += Self.size(of: entry)
            guard state.recentSize > Self.maximumSize / 2 else { return [:] }
            defer { (state.previous, state.recent, state.recentSize) = (state.recent, [:], 0) }
            return state.previous
        }
        guard !dropped.isEmpty else { return }
        // Freeing many lists takes longer than an event loop may be held: another thread does it.
        NIOSingletons.posixBlockingThreadPool.submit { _ in _ = dropped.count }
    }

    /// The account's generation, for ``keep(_:as:of:generation:)``.
    func generation(of account: AccountID) -> UInt64 {
        self.state.withLock { $0.generations[account] ?? 0 }
    }

    /// Folders of an account were created, renamed or deleted. Earlier lists are used only if the
    /// server does not answer.
    func foldersChanged(in account: AccountID) {
        self.state.withLock { $0.generations[account, default: 0] += 1 }
    }

    /// The approximate memory of an entry, in octets.
    private static func size(of entry: Entry) -> Int {
        entry.folders.size + self.sizeOfEntry
    }
}
