import Access

/// The password checks that run or wait for a thread.
///
/// Logins that succeeded recently from the same network wait in a queue of their own, each user's in turn; all others
/// wait by network. A flood of the ones does not fill the queue of the others.
struct CheckQueue {
    /// What two logins have in common that are checked as one: a mail client opens several connections at once.
    struct Mark: Hashable, Sendable {
        /// HMAC-SHA-256 of the login with a key that nobody knows.
        let code: [UInt8]
    }

    /// Which queue a check waits in.
    enum Lane: Hashable, Sendable {
        /// This login succeeded recently from this network.
        case known(UserID)
        case other(Network)

        var isKnown: Bool {
            if case .known = self { true } else { false }
        }
    }

    /// One that waits for a thread.
    struct Check: Sendable {
        var mark: Mark
        var lane: Lane
        /// - Returns: whether the password is right.
        var run: @Sendable () -> Bool
    }

    enum Entry {
        case entered
        /// The same login with the same password is being checked: its verdict counts.
        case joined
        case refused
    }

    /// Checks that wait in each of the two queues: ten seconds of work for two threads. Beyond it one of the network
    /// that has most of them is told to come back.
    static let maximumWaiting = 200
    /// Logins that share one check; a mail client opens some five connections at once.
    static let maximumShared = 50

    private var known = FairQueue<UserID, Check>()
    private var others = NetworkQueue<Check>()
    private var logins: [Mark: [PendingLogin]] = [:]
    private var prefersKnown = true

    /// Checks that wait for a thread.
    var waiting: Int { self.known.count + self.others.count }

    /// - Returns: what became of the login, and the logins that had to make room for it.
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

    private func count(of lane: Lane) -> Int {
        lane.isKnown ? self.known.count : self.others.count
    }

    private mutating func makeRoom(in lane: Lane) -> Check? {
        switch lane {
        case .known(let user): self.known.makeRoom(for: user)
        case .other(let network): self.others.makeRoom(for: network)
        }
    }

    /// The next check for a thread: of both queues in turn, so that neither starves the other.
    mutating func next() -> Check? {
        defer { self.prefersKnown.toggle() }
        guard self.prefersKnown else { return self.others.next() ?? self.known.next() }
        return self.known.next() ?? self.others.next()
    }

    /// A check has ended.
    /// - Returns: the logins that it counts for.
    mutating func leave(_ mark: Mark) -> [PendingLogin] {
        self.logins.removeValue(forKey: mark) ?? []
    }

    /// The connection of a login has closed. A check that nobody else waits for, and that does not run yet, is not run.
    mutating func cancel(_ login: PendingLogin, mark: Mark, lane: Lane) {
        guard let sharing = self.logins[mark], sharing.contains(where: { $0 === login }) else {
            return
        }
        // The others' check, and one that runs, is made and counted for all of them.
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
