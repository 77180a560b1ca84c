import Access
import NIOCore
import Session
import Store
import Synchronization

/// The folders that mail servers listed last, from whichever session asked.
///
/// So a session need not connect to each shared account to answer LIST, and has something to show for a server that
/// does not answer. Nothing in here is judged by rights: each session does that when it shows folders.
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
        var entries: [FolderListKey: Entry] = [:]
        /// Octets of all entries.
        var size = 0
        /// How often folders were made or removed, where they were.
        var generations: [AccountID: UInt64] = [:]
    }

    /// For so long a list is shown without asking the server anew.
    private static let freshTime = TimeAmount.seconds(60)
    /// All lists together: about a million folders. Beyond it the oldest ones go.
    private static let maximumSize = 64 * 1_024 * 1_024
    /// What an entry costs besides its folders.
    private static let sizeOfEntry = 512

    private let lifetime: TimeAmount
    private let state = Mutex(State())

    /// - Parameter lifetime: for how long a list may be shown without waiting for the server.
    init(lifetime: TimeAmount) {
        self.lifetime = lifetime
    }

    // MARK: - What is known

    func knowledge(of key: FolderListKey, _ account: UpstreamAccount) -> FolderKnowledge {
        self.state.withLock { state in
            var knowledge = FolderKnowledge()
            knowledge.generation = state.generations[account.id] ?? 0
            guard let entry = state.entries[key], entry.server == account.server else {
                return knowledge
            }
            let age = NIODeadline.now() - entry.listed
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
        self.state.withLock { state in
            let before = state.entries.removeValue(forKey: key)
            state.size -= before.map(Self.size) ?? 0
            let earlier = before.flatMap { $0.server == account.server ? $0.folders : nil }
            let entry = Entry(
                server: account.server,
                folders: folders.withSubscriptions(of: earlier),
                listed: .now(),
                generation: generation
            )
            guard Self.size(of: entry) <= Self.maximumSize / 2 else { return }
            state.entries[key] = entry
            state.size += Self.size(of: entry)
            if state.size > Self.maximumSize { Self.makeRoom(&state) }
        }
    }

    /// How often folders were made or removed in an account.
    func generation(of account: AccountID) -> UInt64 {
        self.state.withLock { $0.generations[account] ?? 0 }
    }

    /// Folders were made or removed: what was listed before is shown only where the server does not answer.
    func foldersChanged(in account: AccountID) {
        self.state.withLock { $0.generations[account, default: 0] += 1 }
    }

    /// The oldest half goes, so that this is rarely done.
    private static func makeRoom(_ state: inout State) {
        for (key, entry) in state.entries.sorted(by: { $0.value.listed < $1.value.listed }) {
            guard state.size > self.maximumSize / 2 else { return }
            state.entries[key] = nil
            state.size -= self.size(of: entry)
        }
    }

    private static func size(of entry: Entry) -> Int {
        entry.folders.size + self.sizeOfEntry
    }
}
