import Access
import Gateway
import Store
import Synchronization

/// The circuit breaker of the running gateway, for commands that log in at mail servers themselves.
///
/// A command does not try a credential that a server refused, and reports each login's result to
/// the gateway. It asks for the suspended credentials once; each report returns the new list.
/// Without a running gateway no credential is suspended.
final class StoredCredentials: Sendable {
    private let controlSocket: String
    /// The gateway's last answer: the whole list of suspended credentials.
    private let answered = Mutex<(hasAsked: Bool, found: [SuspendedCredential]?)>((false, nil))

    init(_ configuration: GatewayConfiguration) {
        self.controlSocket = configuration.controlSocket
    }

    /// The credentials that the gateway does not try at present; nil if no gateway answers.
    func suspended() async -> [SuspendedCredential]? {
        let answered = self.answered.withLock { $0 }
        if answered.hasAsked { return answered.found }
        return await self.ask(ControlMessage.CredentialRequest())
    }

    /// The suspension of an account's credential at one of its servers; nil if a login may be
    /// tried.
    func suspension(
        of account: UpstreamAccount,
        service: CredentialService
    ) async -> SuspendedCredential? {
        await self.suspended()?.first {
            $0.account == account.id.rawValue && $0.service == service
                && $0.server == service.server(of: account)
        }
    }

    /// Runs a login with the stored credential, and reports to the gateway whether the server
    /// accepted it.
    /// - Throws: the error of the login. Only a refused credential is reported.
    func probe<Report: Sendable>(
        _ account: UpstreamAccount,
        service: CredentialService,
        login: () async throws(ProbeError) -> Report
    ) async throws(ProbeError) -> Report {
        do {
            let report = try await login()
            await self.tell(account, service: service, isAccepted: true)
            return report
        } catch {
            if case .credentialRefused = error {
                await self.tell(account, service: service, isAccepted: false)
            }
            throw error
        }
    }

    /// Reports a server's verdict on the credential to the gateway.
    private func tell(
        _ account: UpstreamAccount,
        service: CredentialService,
        isAccepted: Bool
    ) async {
        let verdict = ControlMessage.CredentialRequest.Verdict(
            of: account,
            service: service,
            isAccepted: isAccepted
        )
        _ = await self.ask(ControlMessage.CredentialRequest(verdict: verdict))
    }

    /// Sends a request to the gateway, and keeps the list of its answer.
    ///
    /// - Returns: nil if no gateway answers; the command then tries each credential.
    private func ask(
        _ request: ControlMessage.CredentialRequest
    ) async -> [SuspendedCredential]? {
        let request = ControlMessage.Request(credentials: request, actor: Actor.current.recorded)
        let answer = try? await ControlClient.ask(request, at: self.controlSocket)
        self.answered.withLock { $0 = (true, answer?.credentials) }
        return answer?.credentials
    }
}

extension SuspendedCredential {
    /// The text that a command prints instead of another login attempt.
    var explanation: String {
        "the mail server refused the credential (times: \(self.refusals)); the gateway tries it again in "
            + "\(self.seconds) s: gatepost account set \(self.address) --password-stdin, or correct it at the "
            + "server and run gatepost account test \(self.address)"
    }
}
