import Access
import NIOCore
import Session
import Store

/// The client's login: the password check, the limits and the start of the session.
extension ClientHandler {
    /// Checks a password. The answer arrives in ``authenticated(_:)`` on this event loop.
    func authenticate(_ credentials: Credentials) {
        let actor = self.trail.loginTried(credentials.login, snapshot: self.permissions.access)
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let request = Authenticator.Request(
            credentials: credentials,
            address: self.address,
            service: Self.service,
            actor: actor,
            permissions: self.permissions
        )
        self.clock.loginBegan(answerWithin: Authenticator.longestAnswer, at: self.eventLoop.now)
        let login = self.gateway.authenticator.authenticate(request, on: self.eventLoop) {
            bound.value.authenticated($0)
        }
        self.pendingLogin = login
    }

    /// The check may have waited for minutes: a password, a mailbox or a server that was changed
    /// meanwhile does not open a session.
    private func authenticated(_ answer: Authenticator.Answer) {
        let login = self.pendingLogin
        self.pendingLogin = nil
        self.takePermissions()
        let isCurrent =
            login.map { self.gateway.authenticator.isCurrent($0, in: self.permissions) } ?? false
        switch answer {
        case .refused:
            self.session.authenticationFinished(.refused)
        case .overloaded:
            self.session.authenticationFinished(.overloaded)
        case .unavailable:
            self.session.authenticationFinished(.unavailable)
        case .accepted where !isCurrent:
            if let login { self.gateway.authenticator.recordOutdated(login.login) }
            self.session.authenticationFinished(.refused)
        case .accepted(let user, let account):
            // Commands behind the login run within this call.
            self.loginEnd = login?.login.end ?? .none
            self.admit(user, account: account)
        }
        let isLoggedIn = self.session.authenticatedUser != nil
        self.clock.loginAnswered(isLoggedIn: isLoggedIn, at: self.eventLoop.now)
        if isLoggedIn {
            self.began = (self.gateway.nextSession(), .current)
            self.scheduleLoginEnd()
        }
        self.perform()
    }

    /// The password is right: counts the connection of the user, and logs the session in.
    private func admit(_ user: UserID, account: AccountID?) {
        guard let slot = self.gateway.admission.admit(user) else {
            return self.session.authenticationFinished(.tooManyConnections)
        }
        let profiles = self.knownProfiles(of: user)
        self.session.authenticationFinished(.accepted(user, account: account, profiles: profiles))
        // The client may have closed the connection, or the session may have refused the login.
        guard self.session.authenticatedUser != nil else { return }
        self.slot = slot
        self.arrival = nil
    }
}
