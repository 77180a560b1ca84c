import Access
import NIOCore
import Session
import Store

/// Delivers events to the session and performs its actions.
extension ClientHandler {
    /// Delivers an event to the session under the permissions in force, and performs the session's
    /// actions.
    func deliver(_ event: (inout Machine) -> Void) {
        self.takePermissions()
        event(&self.session)
        self.perform()
    }

    /// Wraps an event as a callback for the event loop, for answers from background threads and
    /// other services.
    func delivering<Answer: Sendable>(
        _ event: @escaping (inout Machine, Answer) -> Void
    ) -> @Sendable (Answer) -> Void {
        let bound = NIOLoopBound((self, event), eventLoop: self.eventLoop)
        return { answer in
            let (handler, event) = bound.value
            handler.deliver { event(&$0, answer) }
        }
    }

    /// Tells the session of new permissions. Call it before every event: no octet may be judged by
    /// older permissions than those in force.
    ///
    /// The order matters, because the session continues with buffered commands when it learns of
    /// new permissions. A user whose password has changed is logged out before that, and no command
    /// goes to a server that is not the account's any more.
    func takePermissions() {
        let current = self.gateway.permissions.current
        if self.loginEnd != .none, let user = self.session.authenticatedUser,
            self.loginEnd.isReached(at: .current, in: current, user: user)
        {
            self.session.loginEnded()
        }
        guard current !== self.permissions else { return self.session.timePassed(at: .current) }
        if let user = self.session.authenticatedUser,
            !current.mayDiffer(for: user, from: self.permissions)
        {
            // Nothing to evaluate: most changes concern few of thousands of sessions.
            self.permissions = current
            return self.session.otherPermissionsChanged(current.access, at: .current)
        }
        if let user = self.session.authenticatedUser, !current.knows(user, as: self.permissions) {
            self.session.endRequested()
        }
        self.upstreamsChanged(to: current)
        self.permissions = current
        self.session.snapshotChanged(current.access, at: .current)
    }

    /// Performs the session's actions until there are none. Re-entrant: a nested call returns and
    /// the outer loop continues, so the stack stays bounded.
    func perform() {
        guard !self.isPerforming else { return }
        self.isPerforming = true
        var actions: [Machine.Action] = []
        swap(&actions, &self.spare)
        self.session.takeActions(into: &actions)
        while !actions.isEmpty {
            for action in actions { self.perform(action) }
            self.session.takeActions(into: &actions)
        }
        swap(&actions, &self.spare)
        self.isPerforming = false
        self.flushManyOctets()
        self.actionsPerformed()
        self.resumeReading()
        self.leaveLoop()
    }
}

/// Fairness: buffered input is worked off in turns, so that one client does not hold the event
/// loop.
extension ClientHandler {
    /// Schedules the rest of the buffered input for a later turn.
    func readOnLater() {
        self.readsOnWhenWritable = false
        self.sessions.workLater(self, on: self.eventLoop)
    }

    /// Makes the session stop after the current command if the time of this round of the event loop
    /// is used up.
    func yieldLoopWithoutTime() {
        guard !self.sessions.hasTime(on: self.eventLoop) else { return }
        self.session.yieldLoop()
    }

    /// Continues with buffered input; waits while the client does not take responses.
    func workOn() {
        guard self.context == nil || self.isWritable else {
            self.readsOnWhenWritable = true
            return
        }
        self.deliver { $0.resumeReading(at: .current) }
    }
}

/// Events that concern all sessions of an event loop, and the view of administrators.
extension ClientHandler {
    /// Other permissions are in force.
    func permissionsChanged() {
        self.takePermissions()
        self.perform()
    }

    /// The gateway stops: the session ends, after a message in transit.
    func shutDown() {
        self.session.shutdownRequested()
        self.perform()
    }

    /// An administrator ends the session.
    func endByAdministrator() {
        self.session.endRequested()
        self.perform()
    }

    /// Records the events that were only counted in the last minute.
    func auditDue() {
        self.session.auditReadingEnded()
        self.perform()
        self.trail.flush(self.permissions.access)
    }

    /// Whether a message is in transit.
    var isSending: Bool { self.session.hasTransaction }

    /// The session as administrators see it; nil before the login.
    var summary: SessionSummary? {
        guard let (number, since) = self.began, let user = self.session.authenticatedUser else {
            return nil
        }
        let access = self.permissions.access
        let mailbox = self.session.openMailbox
        return SessionSummary(
            session: number,
            user: access.users[user]?.login.description ?? "",
            protocol: Self.service.rawValue,
            from: self.address?.ipAddress,
            since: since.seconds,
            account: mailbox.flatMap { access.accounts[$0.account]?.address.description },
            folder: mailbox?.folder?.description
        )
    }
}
