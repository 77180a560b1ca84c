import Access
import NIOCore
import Session
import Store
import Synchronization

/// Asks mail servers for their folders without a session, so that the next LIST need not wait for them.
final class FolderRefresher: Sendable {
    private struct State {
        /// Accounts whose servers are to be asked, or are being asked.
        var due: Set<AccountID> = []
        /// The same without those that are being asked. The last one is asked next: for it a client may wait.
        var waiting: [AccountID] = []
        var reading = 0
        /// When an account's server may be asked again.
        var rests: [AccountID: NIODeadline] = [:]
        /// Whether the gateway ends.
        var isStopped = false
    }

    /// Servers that are asked at once. Some of them may not answer at all.
    static let maximumReading = 16
    /// Between two times at which a server is asked.
    static let restTime = TimeAmount.seconds(30)
    /// Accounts with such a time that are kept before those are looked for whose time is over.
    private static let keptRests = 1_000

    private let upstream: UpstreamServices
    private let now: @Sendable () -> NIODeadline
    private let state = Mutex(State())

    init(
        upstream: UpstreamServices,
        now: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.upstream = upstream
        self.now = now
    }

    /// Asks an account's server for its folders, soon, and once however many sessions want to know.
    func refresh(_ account: AccountID, on loop: any EventLoop) {
        self.state.withLock { state in
            if let rest = state.rests[account], rest > self.now() { return }
            guard !state.isStopped, state.due.insert(account).inserted else { return }
            state.waiting.append(account)
        }
        self.readNext(on: loop)
    }

    /// Asks no further server.
    func stop() {
        self.state.withLock { state in
            state.isStopped = true
            state.waiting = []
        }
    }

    private func readNext(on loop: any EventLoop) {
        let next = self.state.withLock { state -> AccountID? in
            guard state.reading < Self.maximumReading, let account = state.waiting.popLast() else {
                return nil
            }
            state.reading += 1
            state.rests[account] = self.now() + Self.restTime
            return account
        }
        guard let account = next else { return }
        guard let target = self.upstream.permissions.current.endpoints[account] else {
            // Not at once: many accounts may be gone, and each would be a call within the call before it.
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
                upstream.profiles.learnt(profile, of: target)
            } else {
                upstream.profiles.failed(target)
            }
            loop.execute { self.readingEnded(account, on: loop) }
        }
    }

    private func readingEnded(_ account: AccountID, on loop: any EventLoop) {
        self.state.withLock { state in
            state.reading -= 1
            state.due.remove(account)
            if state.rests.count > Self.keptRests {
                let now = self.now()
                state.rests = state.rests.filter { $0.value > now }
            }
        }
        self.readNext(on: loop)
    }
}
