import Access
import Logging
import NIOCore
import NIOPosix
import Session
import Synchronization

/// The queues of the sources, and what follows a verdict.
extension Authenticator {
    /// Queues a check, and turns away the logins that it displaces.
    func enter(_ login: PendingLogin, check: CheckQueue.Check) {
        let source = check.source
        let (entry, displaced, newWorkers): (CheckQueue.Entry, [PendingLogin], Int) = self.memory
            .withLock { memory in
                // A client that has left meanwhile cannot cancel this check any more.
                guard !login.isCancelled else { return (CheckQueue.Entry.joined, [], 0) }
                let (entry, displaced) = memory.queues[source].queue.enter(login, check: check)
                let workers = entry == .entered ? memory.hire(1, for: source, of: self.sources) : 0
                return (entry, displaced, workers)
            }
        for other in displaced { self.turnAway(other) }
        if entry == .refused { self.turnAway(login) }
        for _ in 0..<newWorkers { self.submitWork(of: source) }
    }

    /// Lets a thread of a source run its next check. A worker submits itself again after each check
    /// instead of a task for each login, because the pool would keep the tasks of clients that left.
    func submitWork(of source: Int) {
        self.pools[source].submit { [self] state in
            // The pool has not been started, or is shutting down.
            guard case .active = state else {
                return self.memory.withLock { $0.queues[source].workers -= 1 }
            }
            self.runNext(of: source)
        }
    }

    /// Answers logins that have waited for too long, and runs the next check. Called on a thread of
    /// the source.
    private func runNext(of source: Int) {
        let (expired, check) = self.memory.withLock { memory in
            let expired = memory.queues[source].queue.expire(at: self.now())
            let check = memory.queues[source].queue.next()
            if check == nil { memory.queues[source].workers -= 1 }
            return (expired, check)
        }
        for login in expired { self.turnAway(login) }
        guard let check else { return }
        let verdict = check.run()
        let logins = self.memory.withLock { $0.queues[source].queue.leave(check.mark) }
        for login in logins { self.checked(login, by: check, verdict: verdict) }
        self.submitWork(of: source)
    }

    /// Counts and records a verdict, then answers. A refusal is recorded even if its client has
    /// closed the connection. A login that the source does not know goes to the next one.
    private func checked(
        _ login: PendingLogin,
        by check: CheckQueue.Check,
        verdict: SourceVerdict
    ) {
        switch verdict {
        case .verified(let end):
            login.decided(by: check.subject, end: end)
            self.accept(login)
        case .notMine:
            guard var next = check.following.first else { return self.refuse(login) }
            next.following = Array(check.following.dropFirst())
            self.enter(login, check: next)
        case .refused(let detail):
            self.refuse(login, detail: detail)
        case .unavailable(let reason):
            let name = self.sources.all[check.source].name
            var record = login.record
            record.outcome = .failed
            record.detail = ["the source \(name) cannot check logins: \(reason)"]
            self.record(record)
            self.unavailableSources.log(name, reason: reason, at: self.now())
            login.finish(.unavailable, in: Self.unavailableDelay)
        }
    }

    /// The password is right. The account that the login names may still refuse it.
    private func accept(_ login: PendingLogin) {
        guard case .accepted(let user, _) = login.whenRight else { return self.refuse(login) }
        if !login.isCancelled {
            self.memory.withLock {
                $0.known.succeeded(user, from: login.network, at: self.now())
            }
        }
        login.finish(login.whenRight)
    }

    /// Counts and records a refusal, and answers after its delay.
    private func refuse(_ login: PendingLogin, detail: String? = nil) {
        let now = self.now()
        let delay = self.memory.withLock { $0.failures.count(login.slots, at: now) }
        var record = login.record
        if let detail { record.detail = [detail] }
        self.record(record)
        // The delay begins at one time for all, whether a server was asked or not.
        let start = max(now, login.since + login.shortestRefusal)
        login.finish(.refused, in: start - now + delay)
    }

    /// Answers a login that cannot be checked, because too many wait or it has waited for too long;
    /// the password is not checked.
    func turnAway(_ login: PendingLogin) {
        var record = login.record
        record.outcome = .failed
        record.detail = ["too many logins wait for a password check"]
        self.record(record)
        login.finish(.overloaded)
        let overloads: Int? = self.memory.withLock { memory in
            memory.overloads += 1
            let now = self.now()
            if let last = memory.overloadLogged, now - last < Self.overloadPeriod { return nil }
            defer { memory.overloads = 0 }
            memory.overloadLogged = now
            return memory.overloads
        }
        guard let overloads else { return }
        self.logger.warning(
            "too many logins wait for a password check: clients are told to try again",
            metadata: ["times": "\(overloads)", "network": "\(login.network)"]
        )
    }
}

extension Authenticator.Memory {
    /// Counts new workers of a source.
    /// - Returns: how many of the wanted number there may be.
    mutating func hire(
        _ wanted: Int,
        for source: Int,
        of sources: AuthenticationSources
    ) -> Int {
        let free = sources.all[source].threads - self.queues[source].workers
        let count = max(min(wanted, free), 0)
        self.queues[source].workers += count
        return count
    }
}
