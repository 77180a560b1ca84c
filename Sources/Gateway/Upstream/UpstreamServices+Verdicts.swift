import Access
import Store

extension UpstreamServices {
    /// Applies the result of a probe on the command line to the circuit breaker. A result for a
    /// server or credential that is not in force is ignored.
    ///
    /// Iterates over all suspended accounts: never call it on an event loop.
    /// - Returns: the credentials that are suspended now.
    func answer(_ request: ControlMessage.CredentialRequest) -> [SuspendedCredential] {
        let accounts = self.permissions.current.endpoints
        if let verdict = request.verdict,
            let account = accounts[AccountID(verdict.account)],
            verdict.service.server(of: account) == verdict.server
        {
            self.credentialBreaker.adopt(account, service: verdict.service)
            // An administrator who tests an account may have changed its server.
            if verdict.service == .imap { self.serverChanged(account.id) }
            if verdict.isAccepted {
                if account.usesToken { self.credentials.tokensAccepted() }
                self.credentialBreaker.accepted(account, service: verdict.service)
            } else {
                self.credentialBreaker.refused(account, service: verdict.service)
            }
        }
        return self.credentialBreaker.suspended(accounts).sorted {
            if ExactText($0.address) == ExactText($1.address) {
                return $0.service.rawValue < $1.service.rawValue
            }
            return $0.address.utf8.lexicographicallyPrecedes($1.address.utf8)
        }
    }
}
