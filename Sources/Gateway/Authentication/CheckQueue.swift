import Access
import NIOCore

/// The password checks that run or wait for a thread. Pure: time is a parameter.
///
/// Checks wait in three queues that take turns, so that a flood in one queue neither fills nor
/// delays the others:
/// - logins that succeeded recently from the same network; users take turns
/// - all other logins; networks take turns
/// - of a login that already has ``maximumOfLogin`` checks in the second queue, all further ones;
///   these logins take turns, and for each of them its networks
///
/// A client that leaves is removed. A login that has waited for ``patience`` is removed and answered
/// without a check.
struct CheckQueue {
    /// Identifies equal logins, which share one check: a mail client opens several connections at
    /// once.
    struct Mark: Hashable, Sendable {
        /// HMAC-SHA-256 of the login under a random key of this process.
        let code: [UInt8]
    }

    /// Whether a login succeeded recently from its network.
    enum Lane: Hashable, Sendable {
        /// A login that succeeded recently from this network.
        case known(UserID)
        /// Any other login, by the network that it comes from.
        case other(Network)

        var isKnown: Bool {
            if case .known = self { true } else { false }
        }
    }

    /// A password check that waits for a thread: less than a KiB with a password of at most 256
    /// octets, some KiB more with an access token.
    struct Check: Sendable {
        /// The number of the source that makes the check (``AuthenticationSources``).
        var source = 0
        /// ``SourceCheck/subject``; empty for a login that no source knows.
        var subject: [UInt8] = []
        var mark: Mark
        var lane: Lane
        /// The login name, folded as ``LoginFailures/folded(_:)`` does it.
        var login: [UInt8]
        /// Blocks for the time of a password hash, or until a server answers.
        var run: @Sendable () -> SourceVerdict
        /// The check of the next source, if this one does not know the login.
        var following: [Check] = []
    }

    /// The result of ``enter(_:check:)``.
    enum Entry {
        /// The check waits for a thread.
        case entered
        /// An equal login is being checked; its result counts for this one as well.
        case joined
        /// The queue is full, or too many logins share this check.
        case refused
    }

    /// The queue that a check waits in, with what takes turns there.
    private enum Place {
        case known(UserID)
        case other(Network)
        case crowded(login: [UInt8], Network)
    }

    /// The logins that share a check.
    private struct Sharing {
        /// At most ``maximumShared``.
        var logins: [PendingLogin]
        /// Where the check waits; nil while it runs.
        var place: Place?
    }

    /// How long a login waits for its check. The most patient of the common mail programs,
    /// Thunderbird, waits 100 seconds for a response (`mailnews.tcptimeout`); others wait 60 and
    /// less. A program that gives up earlier closes its connection, and its check is dropped. So a
    /// shorter time would turn away clients that still wait. A client that is still there after this
    /// time has no limit of its own, and is told to come back.
    static let patience = TimeAmount.seconds(120)
    /// Checks that wait in each of the three queues: the two threads for passwords in the store make
    /// 2,400 checks of 0.1 seconds within ``patience``, and what waits behind more would be turned away. Each entry is small, so
    /// a full queue takes some MiB. Beyond the limit, the network or login with the most waiting
    /// checks loses its newest.
    static let maximumWaiting = 2_500
    /// Checks of one login name that wait as those of any other login. Equal passwords from one
    /// network share a check, so a person with a handful of devices stays below. Without the limit,
    /// somebody who tries one login from a thousand addresses would have a thousand turns.
    static let maximumOfLogin = 10
    /// Logins that share one check. A mail client opens about five connections at once, and a user
    /// may have 50 connections.
    static let maximumShared = 50
    /// How often logins that have waited for too long are looked for. It is the longest time by
    /// which one is late.
    private static let expiryInterval = TimeAmount.seconds(1)

    /// Checks of known logins; users take turns.
    private var known = FairQueue<UserID, Check>()
    /// All other checks; sites and networks take turns.
    private var others = NetworkQueue<Check>()
    /// Further checks of logins that have many; logins take turns, and their networks.
    private var crowded = GroupedFairQueue<[UInt8], Network, Check>()
    /// The number of checks in ``others`` by login.
    private var othersOfLogin: [[UInt8]: Int] = [:]
    /// The logins of each waiting or running check.
    private var sharing: [Mark: Sharing] = [:]
    /// The queue that the next check comes from, unless it is empty.
    private var turn = 0
    /// When logins that have waited for too long are looked for next.
    private var nextExpiry = NIODeadline.distantPast

    /// The number of checks that wait for a thread.
    var waiting: Int { self.known.count + self.others.count + self.crowded.count }

    /// Adds a login.
    /// - Returns: what happened to the login, and the logins that were displaced to make room for
    ///   it. The caller answers these.
    mutating func enter(_ login: PendingLogin, check: Check) -> (Entry, displaced: [PendingLogin]) {
        if let logins = self.sharing[check.mark]?.logins {
            guard logins.count < Self.maximumShared else { return (.refused, []) }
            self.sharing[check.mark]?.logins.append(login)
            return (.joined, [])
        }
        let place = self.place(of: check)
        var displaced: [PendingLogin] = []
        if self.count(at: place) >= Self.maximumWaiting {
            guard let other = self.makeRoom(at: place) else { return (.refused, []) }
            displaced = self.leave(other.mark)
        }
        self.sharing[check.mark] = Sharing(logins: [login], place: place)
        switch place {
        case .known(let user):
            self.known.append(check, from: user)
        case .other(let network):
            self.others.append(check, from: network)
            self.othersOfLogin[check.login, default: 0] += 1
        case .crowded(let login, let network):
            self.crowded.append(check, from: network, in: login)
        }
        return (.entered, displaced)
    }

    /// The next check for a thread. The queues take turns, so none starves another.
    mutating func next() -> Check? {
        for _ in 0..<3 {
            let check =
                switch self.turn {
                case 0: self.known.next()
                case 1: self.others.next()
                default: self.crowded.next()
                }
            let isOther = self.turn == 1
            self.turn = (self.turn + 1) % 3
            guard let check else { continue }
            if isOther { self.removedOther(check) }
            self.sharing[check.mark]?.place = nil
            return check
        }
        return nil
    }

    /// Removes a check that has ended.
    /// - Returns: the logins that its result counts for.
    mutating func leave(_ mark: Mark) -> [PendingLogin] {
        self.sharing.removeValue(forKey: mark)?.logins ?? []
    }

    /// Removes a login whose client has closed its connection. A check that has not begun and that
    /// no other login shares is removed as well. A login whose check runs stays, because its result
    /// counts.
    mutating func cancel(_ login: PendingLogin, mark: Mark) {
        guard let sharing = self.sharing[mark],
            let index = sharing.logins.firstIndex(where: { $0 === login })
        else { return }
        guard let place = sharing.place else { return }
        // Other logins share the check: it stays for them.
        guard sharing.logins.count == 1 else {
            self.sharing[mark]?.logins.remove(at: index)
            return
        }
        self.remove(mark, at: place)
        self.sharing[mark] = nil
    }

    /// Removes the logins that have waited for ``patience``. The caller answers them.
    mutating func expire(at now: NIODeadline) -> [PendingLogin] {
        guard now >= self.nextExpiry else { return [] }
        self.nextExpiry = now + Self.expiryInterval
        var expired: [(login: PendingLogin, mark: Mark)] = []
        // A check that runs ends within a limited time.
        for (mark, sharing) in self.sharing where sharing.place != nil {
            for login in sharing.logins where login.since + Self.patience <= now {
                expired.append((login, mark))
            }
        }
        for (login, mark) in expired { self.cancel(login, mark: mark) }
        return expired.map(\.login)
    }

    // MARK: - Places

    /// The queue for a new check.
    private func place(of check: Check) -> Place {
        switch check.lane {
        case .known(let user):
            .known(user)
        case .other(let network):
            self.othersOfLogin[check.login, default: 0] < Self.maximumOfLogin
                ? .other(network) : .crowded(login: check.login, network)
        }
    }

    /// The number of checks in the queue of a place.
    private func count(at place: Place) -> Int {
        switch place {
        case .known: self.known.count
        case .other: self.others.count
        case .crowded: self.crowded.count
        }
    }

    /// - Returns: the check that was removed; nil if the place has no right to displace another
    ///   check.
    private mutating func makeRoom(at place: Place) -> Check? {
        switch place {
        case .known(let user):
            return self.known.makeRoom(for: user)
        case .other(let network):
            let check = self.others.makeRoom(for: network)
            if let check { self.removedOther(check) }
            return check
        case .crowded(let login, let network):
            return self.crowded.makeRoom(for: network, in: login)
        }
    }

    /// Removes a waiting check from its queue.
    private mutating func remove(_ mark: Mark, at place: Place) {
        switch place {
        case .known(let user):
            _ = self.known.remove(from: user) { $0.mark == mark }
        case .other(let network):
            let check = self.others.remove(from: network) { $0.mark == mark }
            if let check { self.removedOther(check) }
        case .crowded(let login, let network):
            _ = self.crowded.remove(from: network, in: login) { $0.mark == mark }
        }
    }

    /// Keeps the number of checks of a login up to date.
    private mutating func removedOther(_ check: Check) {
        let count = self.othersOfLogin[check.login, default: 0]
        self.othersOfLogin[check.login] = count > 1 ? count - 1 : nil
    }
}
