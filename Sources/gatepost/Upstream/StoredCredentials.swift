import Access
import Gateway
import Store
import Synchronization

/// The circuit breaker of the running gateway, for commands that log in at mail servers themselves: they try no
/// credential that a server refused, and tell the gateway what they found. They ask once; each thing that they tell is
/// answered with what rests then. Without a gateway nothing rests.
final class StoredCredentials: Sendable {
    private let controlSocket: String
    /// What the gateway said last, if it was asked: each answer has all of them.
    private let answered = Mutex<(hasAsked: Bool, found: [SuspendedCredential]?)>((false, nil))

    init(_ configuration: GatewayConfiguration) {
        self.controlSocket = configuration.controlSocket
    }

    /// The credentials that rest now; nil where no gateway answers.
    func suspended() async -> [SuspendedCredential]? {
        let answered = self.answered.withLock { $0 }
        if answered.hasAsked { return answered.found }
        return await self.ask(ControlMessage.CredentialRequest())
    }

    /// The pause of an account's credential at one of its servers; nil where it may be tried.
    func suspension(
        of account: UpstreamAccount,
        _ service: CredentialService
    ) async -> SuspendedCredential? {
        await self.suspended()?.first {
            $0.account == account.id.rawValue && $0.service == service
                && $0.server == service.server(of: account)
        }
    }

    /// Logs in with a stored credential, and tells the gateway whether the server accepts it.
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

    private func tell(
        _ account: UpstreamAccount,
        service: CredentialService,
        isAccepted: Bool
    ) async {
        let verdict = ControlMessage.CredentialRequest.Verdict(
            of: account,
            service,
            isAccepted: isAccepted
        )
        _ = await self.ask(ControlMessage.CredentialRequest(verdict: verdict))
    }

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
    /// What an administrator is told instead of another login.
    var explanation: String {
        "the mail server refused the credential (times: \(self.refusals)); the gateway tries it again in "
            + "\(self.seconds) s: gatepost account set \(self.address) --password-stdin, or correct it there and "
            + "say gatepost account test \(self.address)"
    }
}
