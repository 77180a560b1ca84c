import Access
import NIOCore
import Session
import Store
import Synchronization

/// A cache of what mail servers offer and whether they can be used, shared by all sessions.
///
/// Safe to use from any event loop.
final class ProfileCache: Sendable {
    /// What is cached for an account.
    private struct Entry {
        /// The server, and the credential there, that the entry is about.
        var server: UpstreamAccount.Server
        /// The profile that the server last showed; nil if it never did.
        var profile: UpstreamProfile?
        /// When the next login asks the server again.
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

    /// What the lock protects.
    private struct Known {
        /// At most one entry for each account.
        var entries: [AccountID: Entry] = [:]
        /// Until when servers asked for a pause.
        var pauses: [Key: NIODeadline] = [:]

        /// The entry of an account; nil if it is about another server or credential.
        subscript(account: UpstreamAccount) -> Entry? {
            get {
                self.entries[account.id].flatMap { $0.server == account.server ? $0 : nil }
            }
            set { self.entries[account.id] = newValue }
        }
    }

    /// How long a login relies on a profile. A server may be upgraded or reconfigured at any time.
    private static let lifetime = TimeAmount.minutes(10)
    /// How long a failed server counts as failing, so that not every login and LIST waits for it.
    private static let failureLifetime = TimeAmount.seconds(30)

    private let now: @Sendable () -> NIODeadline
    /// Locked for short work.
    private let known = Mutex(Known())

    /// - Parameter now: the clock.
    init(now: @escaping @Sendable () -> NIODeadline = { .now() }) {
        self.now = now
    }

    /// The profiles of accounts' servers, of any age: they decide which capabilities are offered.
    /// The value is nil for a server that failed a moment ago and never showed its profile.
    /// - Parameter accounts: the accounts that one user sees.
    func known(of accounts: [UpstreamAccount]) -> [AccountID: UpstreamProfile?] {
        let now = self.now()
        return self.known.withLock { state in
            var known: [AccountID: UpstreamProfile?] = [:]
            for account in accounts {
                guard let entry = state.entries[account.id], account.server == entry.server,
                    entry.profile != nil || entry.failingUntil > now
                else { continue }
                known[account.id] = .some(entry.profile)
            }
            return known
        }
    }

    /// The profile that a login may rely on without asking the server; nil if it has expired.
    func profile(of account: UpstreamAccount) -> UpstreamProfile? {
        let now = self.now()
        return self.known.withLock { known in
            guard let entry = known[account], entry.askAgain > now else { return nil }
            return entry.profile
        }
    }

    /// Caches the profile that a server showed after a login.
    func record(_ profile: UpstreamProfile, of account: UpstreamAccount) {
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

    /// Drops the entry: the server may have changed. The next login asks again.
    func forget(_ account: AccountID) {
        self.known.withLock { $0.entries[account] = nil }
    }

    /// The server could not be used.
    func failed(_ account: UpstreamAccount) {
        let now = self.now()
        self.known.withLock { known in
            var entry = known[account] ?? Entry(account, at: now)
            entry.failingUntil = now + Self.failureLifetime
            entry.askAgain = now
            known[account] = entry
        }
    }

    /// The server could be used.
    func succeeded(_ account: UpstreamAccount) {
        let now = self.now()
        self.known.withLock { $0[account]?.failingUntil = now }
    }

    /// Whether the server could not be used within ``failureLifetime``.
    func isFailing(_ account: UpstreamAccount) -> Bool {
        let now = self.now()
        return self.known.withLock { $0[account].map { $0.failingUntil > now } ?? false }
    }

    /// The server asked for a pause (Exchange Online).
    func paused(_ account: UpstreamAccount, for time: TimeAmount) {
        let end = self.now() + time
        self.known.withLock { $0.pauses[Key(account)] = end }
    }

    /// Whether a pause that the account's server asked for still lasts.
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
