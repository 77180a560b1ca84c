import NIOCore
import Session
import Store

/// The login of a submitting client.
extension SubmissionHandler {
    func authenticate(_ credentials: Credentials) {
        guard let loop = self.context?.eventLoop else { return }
        let actor = self.trail.loginTried(credentials.login, snapshot: self.permissions.access)
        let bound = NIOLoopBound(self, eventLoop: loop)
        let request = Authenticator.Request(
            credentials: credentials,
            address: self.address,
            service: .submission,
            actor: actor,
            permissions: self.permissions
        )
        self.pendingLogin = self.gateway.authenticator.authenticate(request, on: loop) {
            bound.value.authenticated($0)
        }
    }

    private func authenticated(_ answer: Authenticator.Answer) {
        self.pendingLogin = nil
        self.takePermissions()
        switch answer {
        case .refused:
            self.session.authenticationFinished(.refused)
        case .overloaded:
            self.session.authenticationFinished(.overloaded)
        case .accepted(let user, let account):
            guard let place = self.gateway.admission.admit(user) else {
                self.session.authenticationFinished(.tooManyConnections)
                break
            }
            self.session.authenticationFinished(.accepted(user, account: account, profiles: [:]))
            // The client may have gone meanwhile.
            if self.session.authenticatedUser != nil {
                self.place = place
                self.arrival = nil
            }
        }
        self.clock.isLoggedIn = self.session.authenticatedUser != nil
        if self.clock.isLoggedIn { self.began = (self.gateway.nextSession(), .current) }
        self.perform()
    }
}
