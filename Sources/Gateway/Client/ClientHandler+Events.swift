import Access
import NIOCore
import Session
import Store

/// Events and actions.
extension ClientHandler {
    /// Hands an event to the session, judged by the permissions in force, and performs what it answers.
    func deliver(_ event: (inout Machine) -> Void) {
        self.takePermissions()
        event(&self.session)
        self.perform()
    }

    /// Hands an answer from elsewhere to the session, on the loop.
    func delivering<Answer: Sendable>(
        _ event: @escaping (inout Machine, Answer) -> Void
    ) -> @Sendable (Answer) -> Void {
        let bound = NIOLoopBound((self, event), eventLoop: self.eventLoop)
        return { answer in
            let (handler, event) = bound.value
            handler.deliver { event(&$0, answer) }
        }
    }

    /// No octet is judged by permissions older than those in force.
    ///
    /// The order counts, because the session goes on with what its client has sent when it hears of other
    /// permissions: a user whose password is another one has no command run before that, and no command goes to a
    /// server that is not the account's any more.
    func takePermissions() {
        let current = self.gateway.permissions.current
        guard current !== self.permissions else { return self.session.timePassed(at: .current) }
        if let user = self.session.authenticatedUser, !current.knows(user, as: self.permissions) {
            self.session.endRequested()
        }
        self.upstreamsChanged(to: current)
        self.permissions = current
        self.session.snapshotChanged(current.access, at: .current)
    }

    /// Performs what the session asks for. Reentrant: a nested call returns and the outer loop goes on.
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
        self.actionsPerformed()
        self.resumeReading()
        self.leaveLoop()
    }
}

/// What a client has asked for at once, by and by.
extension ClientHandler {
    func readOnLater() {
        self.readsOnWhenWritable = false
        self.sessions.workLater(self, on: self.eventLoop)
    }

    /// What arrives when the time of a round is over is dealt with in a later turn.
    func yieldLoopWithoutTime() {
        guard !self.sessions.hasTime(on: self.eventLoop) else { return }
        self.session.yieldLoop()
    }

    func workOn() {
        guard self.context?.channel.isWritable ?? true else {
            self.readsOnWhenWritable = true
            return
        }
        self.deliver { $0.resumeReading(at: .current) }
    }
}

/// What an event loop tells its sessions, and what administrators see.
extension ClientHandler {
    func permissionsChanged() {
        self.takePermissions()
        self.perform()
    }

    func shutDown() {
        self.session.shutdownRequested()
        self.perform()
    }

    func endByAdministrator() {
        self.session.endRequested()
        self.perform()
    }

    func auditDue() {
        self.session.auditReadingEnded()
        self.perform()
        self.trail.flush(self.permissions.access)
    }

    var isSending: Bool { self.session.hasTransaction }

    var summary: SessionSummary? {
        guard let (number, since) = self.began, let user = self.session.authenticatedUser else {
            return nil
        }
        let access = self.permissions.access
        let place = self.session.openPlace
        return SessionSummary(
            session: number,
            user: access.users[user]?.login.description ?? "",
            protocol: Self.service.rawValue,
            from: self.address?.ipAddress,
            since: since.seconds,
            account: place.flatMap { access.accounts[$0.account]?.address.description },
            folder: place?.folder?.description
        )
    }
}
