import Access
import NIOCore
import Session

/// What a session asks for and is answered later, from outside the loop.
extension ClientHandler {
    func authenticate(_ credentials: Credentials) {
        guard let loop = self.eventLoop else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.environment.authenticator.authenticate(
            credentials,
            from: self.address,
            permissions: self.permissions,
            on: loop
        ) { verified in
            bound.value.authenticated(verified)
        }
    }

    private func authenticated(_ verified: Authenticator.Answer) {
        switch verified {
        case .refused:
            self.session.authenticationFinished(.refused)
        case .unavailable:
            self.session.authenticationFinished(.unavailable)
        case .accepted(let user, let account):
            guard self.environment.admission.admit(user) else {
                self.session.authenticationFinished(.unavailable)
                break
            }
            self.admittedUser = user
            self.session.authenticationFinished(
                .accepted(user, account: account, profiles: self.environment.profiles.known)
            )
        }
        self.clock.loggedIn = self.session.authenticatedUser != nil
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
            tell(&handler.session, answer)
            handler.perform()
        }
    }

    func loadSubscriptions(_ user: UserID) {
        guard let loop = self.eventLoop else { return }
        let answer = self.answering(on: loop) { $0.subscriptionsLoaded($1) }
        self.environment.subscriptions.load(user, on: loop, answer)
    }

    func changeSubscription(
        _ user: UserID,
        _ account: AccountID,
        _ folder: FolderPath,
        _ isSubscribed: Bool
    ) {
        guard let loop = self.eventLoop else { return }
        self.environment.subscriptions.change(
            user,
            Subscription(account: account, folder: folder),
            isSubscribed: isSubscribed,
            on: loop,
            self.answering(on: loop) { $0.subscriptionChanged(succeeded: $1) }
        )
    }

    /// The session is over, or goes on without this server; the journal is written to when its
    /// connection is closed.
    func leaveUpstream(_ account: AccountID, _ request: JournalRequest) {
        guard let loop = self.eventLoop else { return }
        let transfers = self.environment.transfers
        guard let connection = self.removeUpstream(account) else {
            return transfers.perform(request, on: loop) { _ in }
        }
        connection.leave { transfers.perform(request, on: loop) { _ in } }
    }

    func journal(_ request: JournalRequest) {
        guard let loop = self.eventLoop else { return }
        let answer = self.answering(on: loop) { $0.journalAnswered($1) }
        self.environment.transfers.perform(request, on: loop, answer)
    }
}
