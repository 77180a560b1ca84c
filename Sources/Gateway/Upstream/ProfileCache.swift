import Access
import NIOCore
import Session
import Store
import Synchronization

/// What is known of the servers, from whichever session spoke to them last.
final class ProfileCache: Sendable {
    private struct Entry {
        /// The server and the credential of which this is known.
        var server: UpstreamAccount.Server
        /// As the server told it last; nil where it never did.
        var profile: UpstreamProfile?
        /// From when on the next login asks the server again.
        var askAgain: NIODeadline
        /// Until when the server counts as failing.
        var failingUntil: NIODeadline

        init(_ account: UpstreamAccount, at now: NIODeadline) {
            self.server = account.server
            self.askAgain = now
            self.failingUntil = now
        }
    }

    /// An account at one of the servers that it has had.
    private struct Key: Hashable {
        var account: AccountID
        var server: UpstreamAccount.Server

        init(_ account: UpstreamAccount) {
            self.account = account.id
            self.server = account.server
        }
    }

    private struct Known {
        var entries: [AccountID: Entry] = [:]
        /// Until when servers want to be left alone.
        var pauses: [Key: NIODeadline] = [:]

        /// What is known of another server of the account, or of another credential there, does not count.
        subscript(account: UpstreamAccount) -> Entry? {
            get {
                self.entries[account.id].flatMap { $0.server == account.server ? $0 : nil }
            }
            set { self.entries[account.id] = newValue }
        }
    }

    /// A server may be upgraded or reconfigured at any time; then it is asked again.
    private static let lifetime = TimeAmount.minutes(10)
    /// A server that just failed is not waited for by every login, nor by every LIST.
    private static let failureLifetime = TimeAmount.seconds(30)

    private let now: @Sendable () -> NIODeadline
    private let known = Mutex(Known())

    /// - Parameter now: the time.
    init(now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.now = now
    }

    /// The profiles of accounts' servers, however old: they say what may be offered. Nil for a server that failed a
    /// moment ago, and never told its profile.
    func known(
        of accounts: [AccountID: UpstreamAccount]
    ) -> [AccountID: UpstreamProfile?] {
        let now = self.now()
        return self.known.withLock { state in
            var known: [AccountID: UpstreamProfile?] = [:]
            for (account, entry) in state.entries {
                guard entry.profile != nil || entry.failingUntil > now,
                    accounts[account]?.server == entry.server
                else { continue }
                known[account] = .some(entry.profile)
            }
            return known
        }
    }

    /// What the login need not ask the server again.
    func profile(of account: UpstreamAccount) -> UpstreamProfile? {
        let now = self.now()
        return self.known.withLock { known in
            guard let entry = known[account], entry.askAgain > now else { return nil }
            return entry.profile
        }
    }

    func learnt(_ profile: UpstreamProfile, of account: UpstreamAccount) {
        let now = self.now()
        self.known.withLock { known in
            var entry = known[account] ?? Entry(account, at: now)
            if entry.profile != profile || entry.askAgain <= now {
                entry.askAgain = now + Self.lifetime
            }
            entry.profile = profile
            entry.failingUntil = now
            known[account] = entry
        }
    }

    /// The server says otherwise by now, or may: the next login asks it again.
    func forget(_ account: AccountID) {
        self.known.withLock { $0.entries[account] = nil }
    }

    func failed(_ account: UpstreamAccount) {
        let now = self.now()
        self.known.withLock { known in
            var entry = known[account] ?? Entry(account, at: now)
            entry.failingUntil = now + Self.failureLifetime
            entry.askAgain = now
            known[account] = entry
        }
    }

    /// The server can be used.
    func succeeded(_ account: UpstreamAccount) {
        let now = self.now()
        self.known.withLock { $0[account]?.failingUntil = now }
    }

    /// Whether the server could not be used a moment ago.
    func isFailing(_ account: UpstreamAccount) -> Bool {
        let now = self.now()
        return self.known.withLock { $0[account].map { $0.failingUntil > now } ?? false }
    }

    func paused(_ account: UpstreamAccount, for time: TimeAmount) {
        let end = self.now() + time
        self.known.withLock { $0.pauses[Key(account)] = end }
    }

    /// Whether the account's server asked to be left alone for now.
    func isPaused(_ account: UpstreamAccount) -> Bool {
        let now = self.now()
        return self.known.withLock { known in
            let key = Key(account)
            guard let until = known.pauses[key] else { return false }
            if until > now { return true }
            known.pauses[key] = nil
            return false
        }
    }
}
