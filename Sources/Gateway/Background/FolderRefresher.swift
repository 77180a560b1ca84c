import Access
import NIOCore
import Session
import Store
import Synchronization

/// Refreshes the cached folder lists of shared accounts in the background, so that the next LIST
/// need not wait. Safe to use from any event loop.
final class FolderRefresher: Sendable {
    /// What the lock protects.
    private struct State {
        /// Accounts that wait for a refresh or are being refreshed.
        var due: Set<AccountID> = []
        /// Accounts that wait for a refresh. The last one comes first: a client may be waiting for
        /// it.
        var waiting: [AccountID] = []
        /// The number of running refreshes.
        var reading = 0
        /// When an account may be refreshed again.
        var pauses: [AccountID: NIODeadline] = [:]
        /// Whether the gateway stops.
        var isStopped = false
    }

    /// Concurrent refreshes; some servers may not answer at all.
    static let maximumReading = 16
    /// The time between two refreshes of an account.
    static let pauseTime = TimeAmount.seconds(30)
    /// Entries of `pauses` above which expired ones are dropped.
    private static let maximumPauses = 1_000

    private let upstream: UpstreamServices
    private let now: @Sendable () -> NIODeadline
    private let state = Mutex(State())

    /// - Parameter now: the clock; a test replaces it.
    init(
        upstream: UpstreamServices,
        now: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.upstream = upstream
        self.now = now
    }

    /// Requests a refresh. Several requests for one account are one refresh.
    func refresh(_ account: AccountID, on loop: any EventLoop) {
        self.state.withLock { state in
            if let pause = state.pauses[account], pause > self.now() { return }
            guard !state.isStopped, state.due.insert(account).inserted else { return }
            state.waiting.append(account)
        }
        self.readNext(on: loop)
    }

    /// Starts no further refresh.
    func stop() {
        self.state.withLock { state in
            state.isStopped = true
            state.waiting = []
        }
    }

    /// Starts the next refresh, if the limit permits it.
    private func readNext(on loop: any EventLoop) {
        let next = self.state.withLock { state -> AccountID? in
            guard state.reading < Self.maximumReading, let account = state.waiting.popLast() else {
                return nil
            }
            state.reading += 1
            state.pauses[account] = self.now() + Self.pauseTime
            return account
        }
        guard let account = next else { return }
        guard let target = self.upstream.permissions.current.endpoints[account] else {
            // Hop to the loop: a direct call would recurse once for each account that is gone.
            return loop.execute { self.readingEnded(account, on: loop) }
        }
        let generation = self.upstream.folderLists.generation(of: account)
        ConversationConnection.run(
            FolderReading(),
            at: ConversationServer(account: target, upstream: self.upstream),
            on: loop
        ) { [upstream = self.upstream] in
            if case .listed(let folders, let profile)? = $0 {
                let key = FolderListKey(account: account, isOwner: false)
                upstream.folderLists.keep(folders, as: key, of: target, generation: generation)
                upstream.profiles.record(profile, of: target)
            } else {
                upstream.profiles.failed(target)
            }
            loop.execute { self.readingEnded(account, on: loop) }
        }
    }

    /// A refresh has ended, with a list or without.
    private func readingEnded(_ account: AccountID, on loop: any EventLoop) {
        self.state.withLock { state in
            state.reading -= 1
            state.due.remove(account)
            if state.pauses.count > Self.maximumPauses {
                let now = self.now()
                state.pauses = state.pauses.filter { $0.value > now }
            }
        }
        self.readNext(on: loop)
    }
}
