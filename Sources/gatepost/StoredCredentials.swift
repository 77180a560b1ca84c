import Gateway
import Store

/// The circuit breaker of the running gateway, for commands that log in at mail servers themselves: they try no
/// credential that a server refused, and tell the gateway what they found. Without a gateway nothing rests.
struct StoredCredentials {
    private let controlSocket: String

    init(_ configuration: GatewayConfiguration) {
        self.controlSocket = configuration.controlSocket
    }

    /// The credentials that rest now; nil where no gateway answers.
    func suspended() async -> [SuspendedCredential]? {
        await self.ask(ControlMessage.CredentialRequest())
    }

    /// The pause of an account's credential at one of its servers; nil where it may be tried.
    func suspension(
        of account: UpstreamAccount,
        _ service: CredentialService
    ) async -> SuspendedCredential? {
        await self.suspended()?.first { $0.account == account.address && $0.service == service }
    }

    /// Logs in with a stored credential, and tells the gateway whether the server accepts it.
    func probe<Report: Sendable>(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        _ login: () async throws(ProbeError) -> Report
    ) async throws(ProbeError) -> Report {
        do {
            let report = try await login()
            await self.tell(account, service, isAccepted: true)
            return report
        } catch {
            if case .credentialRefused = error {
                await self.tell(account, service, isAccepted: false)
            }
            throw error
        }
    }

    private func tell(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        isAccepted: Bool
    ) async {
        let verdict = ControlMessage.CredentialRequest.Verdict(
            account: account.address,
            service: service,
            isAccepted: isAccepted
        )
        _ = await self.ask(ControlMessage.CredentialRequest(verdict: verdict))
    }

    private func ask(
        _ request: ControlMessage.CredentialRequest
    ) async -> [SuspendedCredential]? {
        let request = ControlMessage.Request(credentials: request, actor: Actor.current.recorded)
        let answer = try? await ControlClient.ask(request, at: self.controlSocket)
        return answer?.credentials
    }
}

extension SuspendedCredential {
    /// What an administrator is told instead of another login.
    var explanation: String {
        "the mail server refused the credential (times: \(self.refusals)); the gateway tries it again in "
            + "\(self.seconds) s: gatepost account set \(self.account) --password-stdin, or correct it there and "
            + "say gatepost account test \(self.account)"
    }
}
