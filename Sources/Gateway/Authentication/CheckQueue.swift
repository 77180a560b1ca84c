import Access

/// The password checks that run or wait for a thread.
///
/// Checks of logins that succeeded recently from the same network wait in a queue of their own, in
/// which users take turns. All other checks wait in a second queue, in which networks take turns. A
/// flood in one queue does not fill the other.
struct CheckQueue {
    /// Identifies equal logins, which share one check: a mail client opens several connections at
    /// once.
    struct Mark: Hashable, Sendable {
        /// HMAC-SHA-256 of the login under a random key of this process.
        let code: [UInt8]
    }

    /// Which queue a check waits in.
    enum Lane: Hashable, Sendable {
        /// A login that succeeded recently from this network.
        case known(UserID)
        /// Any other login, by the network that it comes from.
        case other(Network)

        var isKnown: Bool {
            if case .known = self { true } else { false }
        }
    }

    /// A password check that waits for a thread.
    struct Check: Sendable {
        var mark: Mark
        var lane: Lane
        /// Blocks for the time of a password hash.
        /// - Returns: whether the password is correct.
        var run: @Sendable () -> Bool
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

    /// Checks that wait in each of the two queues: ten seconds of work for two threads. Beyond the
    /// limit, the network or user with the most waiting checks loses its newest.
    static let maximumWaiting = 200
    /// Logins that share one check. A mail client opens about five connections at once.
    static let maximumShared = 50

    /// Checks of known logins; users take turns.
    private var known = FairQueue<UserID, Check>()
    /// All other checks; sites and networks take turns.
    private var others = NetworkQueue<Check>()
    /// The logins that share each waiting or running check, at most ``maximumShared``.
    private var logins: [Mark: [PendingLogin]] = [:]
    /// Whether the next check comes from the queue of known logins.
    private var prefersKnown = true

    /// The number of checks that wait for a thread.
    var waiting: Int { self.known.count + self.others.count }

    /// Adds a login.
    /// - Returns: what happened to the login, and the logins that were displaced to make room for
    ///   it. The caller answers these.
    mutating func enter(_ login: PendingLogin, check: Check) -> (Entry, displaced: [PendingLogin]) {
        if let sharing = self.logins[check.mark] {
            guard sharing.count < Self.maximumShared else { return (.refused, []) }
            self.logins[check.mark]?.append(login)
            return (.joined, [])
        }
        var displaced: [PendingLogin] = []
        if self.count(of: check.lane) >= Self.maximumWaiting {
            guard let other = self.makeRoom(in: check.lane) else { return (.refused, []) }
            displaced = self.logins.removeValue(forKey: other.mark) ?? []
        }
        self.logins[check.mark] = [login]
        switch check.lane {
        case .known(let user): self.known.append(check, from: user)
        case .other(let network): self.others.append(check, from: network)
        }
        return (.entered, displaced)
    }

    /// The waiting checks in the queue of a lane.
    private func count(of lane: Lane) -> Int {
        lane.isKnown ? self.known.count : self.others.count
    }

    /// - Returns: the check that was removed; nil if the lane of the new one has no right to
    ///   displace another.
    private mutating func makeRoom(in lane: Lane) -> Check? {
        switch lane {
        case .known(let user): self.known.makeRoom(for: user)
        case .other(let network): self.others.makeRoom(for: network)
        }
    }

    /// The next check for a thread. Both queues take turns, so neither starves the other.
    mutating func next() -> Check? {
        defer { self.prefersKnown.toggle() }
        guard self.prefersKnown else { return self.others.next() ?? self.known.next() }
        return self.known.next() ?? self.others.next()
    }

    /// Removes a check that has ended.
    /// - Returns: the logins that its result counts for.
    mutating func leave(_ mark: Mark) -> [PendingLogin] {
        self.logins.removeValue(forKey: mark) ?? []
    }

    /// Removes a login whose client has closed its connection. A check that has not begun and that
    /// no other login shares is removed as well.
    mutating func cancel(_ login: PendingLogin, mark: Mark, lane: Lane) {
        guard let sharing = self.logins[mark], sharing.contains(where: { $0 === login }) else {
            return
        }
        // Other logins share the check: it stays in the queue for them.
        guard sharing.count == 1 else {
            self.logins[mark] = sharing.filter { $0 !== login }
            return
        }
        let removed: Check? =
            switch lane {
            case .known(let user): self.known.remove(from: user) { $0.mark == mark }
            case .other(let network): self.others.remove(from: network) { $0.mark == mark }
            }
        if removed != nil { self.logins[mark] = nil }
    }
}
