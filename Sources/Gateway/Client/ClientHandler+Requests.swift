import Access
import NIOCore
import Session
import Store

/// What a session asks for and is answered later, from outside the loop.
extension ClientHandler {
    func authenticate(_ credentials: Credentials) {
        guard let loop = self.eventLoop else { return }
        let actor = self.trail.loginTried(credentials.login, snapshot: self.permissions.access)
        let bound = NIOLoopBound(self, eventLoop: loop)
        let request = Authenticator.Request(
            credentials: credentials,
            address: self.address,
            service: .imap,
            actor: actor,
            permissions: self.permissions
        )
        self.pendingLogin = self.gateway.authenticator.authenticate(request, on: loop) {
            bound.value.authenticated($0)
        }
    }

    private func authenticated(_ verified: Authenticator.Answer) {
        self.pendingLogin = nil
        self.takePermissions()
        switch verified {
        case .refused:
            self.session.authenticationFinished(.refused)
        case .overloaded:
            self.session.authenticationFinished(.overloaded)
        case .accepted(let user, let account):
            guard let place = self.gateway.admission.admit(user) else {
                self.session.authenticationFinished(.tooManyConnections)
                break
            }
            self.session.authenticationFinished(
                .accepted(
                    user,
                    account: account,
                    profiles: self.gateway.upstream.profiles.known(of: self.permissions.endpoints)
                )
            )
            // The client may have gone meanwhile, or the session refused what the password let in.
            if self.session.authenticatedUser != nil {
                self.place = place
                self.arrival = nil
            }
        }
        self.clock.loggedIn = self.session.authenticatedUser != nil
        if self.clock.loggedIn { self.began = (self.gateway.nextSession(), .current) }
        self.perform()
    }

    /// What hands an answer from elsewhere to the session, on the loop.
    private func answering<Answer: Sendable>(
        on loop: any EventLoop,
        _ tell: @escaping (inout ClientSession, Answer) -> Void
    ) -> @Sendable (Answer) -> Void {
        let bound = NIOLoopBound((self, tell), eventLoop: loop)
        return { answer in
            let (handler, tell) = bound.value
            handler.takePermissions()
            tell(&handler.session, answer)
            handler.perform()
        }
    }

    func loadSubscriptions(_ user: UserID) {
        guard let loop = self.eventLoop else { return }
        let answer = self.answering(on: loop) { $0.subscriptionsLoaded($1) }
        self.gateway.subscriptions.load(user, on: loop, answer: answer)
    }

    func changeSubscription(_ change: SubscriptionChange) {
        guard let loop = self.eventLoop else { return }
        self.gateway.subscriptions.change(
            change,
            on: loop,
            answer: self.answering(on: loop) { $0.subscriptionChanged($1) }
        )
    }

    /// What it changed is in force before the client hears of it.
    func changeACL(_ change: ACLChange) {
        guard let loop = self.eventLoop else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.gateway.aclWriter.change(change, from: self.address, on: loop) { outcome in
            bound.value.takePermissions()
            bound.value.session.aclChanged(outcome)
            bound.value.perform()
        }
    }

    /// The session is over, or goes on without this server; the journal is written to when its
    /// connection is closed.
    func leaveUpstream(_ account: AccountID, request: JournalRequest) {
        guard let loop = self.eventLoop else { return }
        let transfers = self.gateway.transfers
        guard let connection = self.removeUpstream(account) else {
            return transfers.perform(request, on: loop) { _ in }
        }
        connection.leave { transfers.perform(request, on: loop) { _ in } }
    }

    func journal(_ request: JournalRequest) {
        guard let loop = self.eventLoop else { return }
        let answer = self.answering(on: loop) { $0.journalAnswered($1) }
        self.gateway.transfers.perform(request, on: loop, answer: answer)
    }
}

/// What a client has asked for at once, by and by.
extension ClientHandler {
    func readOnLater() {
        guard let loop = self.eventLoop else { return }
        self.readsOnWhenWritable = false
        self.loop.workLater(self, on: loop)
    }

    /// What arrives when the time of a round is over is dealt with in a later turn.
    func yieldLoopWithoutTime() {
        guard let loop = self.eventLoop, !self.loop.hasTime(on: loop) else { return }
        self.session.yieldLoop()
    }

    func workOn() {
        guard self.context?.channel.isWritable ?? true else {
            self.readsOnWhenWritable = true
            return
        }
        self.takePermissions()
        self.session.resumeReading(at: .current)
        self.perform()
    }
}

/// What administrators see and do.
extension ClientHandler {
    func endByAdministrator() {
        self.session.endRequested()
        self.perform()
    }

    func auditDue() {
        self.session.auditReadingEnded()
        self.perform()
        self.trail.flush(self.permissions.access)
    }

    /// IMAP clients try again what was cut.
    var isSending: Bool { false }

    var summary: SessionSummary? {
        guard let (number, since) = self.began, let user = self.session.authenticatedUser else {
            return nil
        }
        let access = self.permissions.access
        let place = self.session.openPlace
        return SessionSummary(
            session: number,
            user: access.users[user]?.login.description ?? "",
            protocol: "imap",
            from: self.address?.ipAddress,
            since: since.seconds,
            account: place.flatMap { access.accounts[$0.account]?.address.description },
            folder: place?.folder?.description
        )
    }
}
