import Access
import NIOCore
import NIOPosix
import Session
import Store
import Synchronization

/// The folders that mail servers listed last, from whichever session asked.
///
/// So a session with many shared accounts need not connect to each of them to answer LIST, and has something to show for
/// a server that does not answer. Nothing in here is judged by rights: each session does that when it shows folders.
final class FolderLists: Sendable {
    private struct Entry {
        /// The server, and the credential there, that listed them.
        var server: UpstreamAccount.Server
        var folders: KnownFolders
        var listed: NIODeadline
        /// How often folders had been made or removed before they were listed.
        var generation: UInt64
    }

    private struct State {
        /// What was listed since `old` was begun anew.
        var young: [FolderListKey: Entry] = [:]
        /// Octets of it.
        var youngSize = 0
        /// What was listed before that.
        var old: [FolderListKey: Entry] = [:]
        /// How often folders were made or removed, where they were.
        var generations: [AccountID: UInt64] = [:]
    }

    /// For so long a list is shown without asking the server anew.
    private static let freshTime = TimeAmount.seconds(60)
    /// Octets of all lists together: about a million folders. Beyond it the older half goes at once, so that no event
    /// loop looks for the oldest ones.
    private static let maximumSize = 64 * 1_024 * 1_024
    /// What an entry costs besides its folders.
    private static let sizeOfEntry = 512

    private let lifetime: TimeAmount
    private let now: @Sendable () -> NIODeadline
    private let state = Mutex(State())

    /// - Parameters:
    ///   - lifetime: for how long a list may be shown without waiting for the server.
    ///   - now: the time.
    init(lifetime: TimeAmount, now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.lifetime = lifetime
        self.now = now
    }

    // MARK: - What is known

    func knowledge(of key: FolderListKey, _ account: UpstreamAccount) -> FolderKnowledge {
        let now = self.now()
        return self.state.withLock { state in
            var knowledge = FolderKnowledge()
            knowledge.generation = state.generations[account.id] ?? 0
            guard let entry = state.young[key] ?? state.old[key], entry.server == account.server
            else { return knowledge }
            let age = now - entry.listed
            knowledge.folders = entry.folders
            knowledge.isCurrent =
                age < self.lifetime && entry.generation == knowledge.generation
            knowledge.isAging = age >= Self.freshTime
            return knowledge
        }
    }

    func keep(
        _ folders: KnownFolders,
        as key: FolderListKey,
        of account: UpstreamAccount,
        generation: UInt64
    ) {
        let now = self.now()
        let dropped = self.state.withLock { state -> [FolderListKey: Entry] in
            let young = state.young.removeValue(forKey: key)
            state.youngSize -= young.map(Self.size) ?? 0
            let before = young ?? state.old[key]
            state.old[key] = nil
            let earlier = before.flatMap { $0.server == account.server ? $0.folders : nil }
            let entry = Entry(
                server: account.server,
                folders: folders.withSubscriptions(of: earlier),
                listed: now,
                generation: generation
            )
            guard Self.size(of: entry) <= Self.maximumSize / 4 else { return [:] }
            state.young[key] = entry
            state.youngSize += Self.size(of: entry)
            guard state.youngSize > Self.maximumSize / 2 else { return [:] }
            defer { (state.old, state.young, state.youngSize) = (state.young, [:], 0) }
            return state.old
        }
        guard !dropped.isEmpty else { return }
        // To free many lists takes longer than an event loop has time for.
        NIOSingletons.posixBlockingThreadPool.submit { _ in _ = dropped.count }
    }

    /// How often folders were made or removed in an account.
    func generation(of account: AccountID) -> UInt64 {
        self.state.withLock { $0.generations[account] ?? 0 }
    }

    /// Folders were made or removed: what was listed before is shown only where the server does not answer.
    func foldersChanged(in account: AccountID) {
        self.state.withLock { $0.generations[account, default: 0] += 1 }
    }

    private static func size(of entry: Entry) -> Int {
        entry.folders.size + self.sizeOfEntry
    }
}
