import Exchange
import Session

/// Why a connection cannot be had: what the session, and the log, are told.
extension UpstreamConnection {
    /// There is no lease for a login: the session is told why.
    func leaseDenied(_ error: any Error) {
        guard self.isDialling else { return }
        switch error {
        case is CredentialBreaker.Suspended: self.fail(.credentialSuspended)
        case is CredentialBreaker.Paused: self.fail(.serverUnanswering)
        case is CredentialBreaker.Outdated: self.fail(.unreachable)
        case is CredentialBreaker.WaitedTooLong:
            self.log("has too many logins of this account under way", error: nil)
            // It may answer each of them: nothing is known against it.
            let client = self.detach()
            client?.upstreamFailed(self.account, fault: .unreachable)
        case is CredentialLease.TokenTooLate: self.loginTimeoutPassed()
        default:
            self.log("has no usable credential", error: error)
            let isPassing = (error as? OnlineError)?.isPassing ?? false
            self.fail(isPassing ? .unreachable : .noCredential)
        }
    }
}
