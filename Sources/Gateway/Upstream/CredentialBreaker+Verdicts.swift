import Access
import Logging
import NIOCore
import Store
import Synchronization

/// Verdicts of mail servers on stored credentials.
extension CredentialBreaker {
    /// Whether the IMAP server refused the stored credential since it last accepted it.
    func hasRefused(_ account: UpstreamAccount) -> Bool {
        self.state.withLock {
            $0.circuits.circuit(account, service: .imap).map { $0.refusals > 0 } ?? false
        }
    }

    /// A login with this lease succeeded. Waiting logins continue.
    func accepted(_ lease: CredentialCircuits.Lease) {
        let now = self.now()
        let hasEnded = self.state.withLock { $0.circuits.accepted(lease, at: now) }
        self.acceptedAgain(lease.account, service: lease.service, hasEnded: hasEnded)
    }

    /// A command of the administrator found that a server accepts the credential in force.
    func accepted(_ account: UpstreamAccount, service: CredentialService) {
        let now = self.now()
        let hasEnded = self.state.withLock {
            $0.circuits.accepted(account, service: service, at: now)
        }
        self.acceptedAgain(account, service: service, hasEnded: hasEnded)
    }

    /// Logs the end of a suspension, and lets waiting logins continue.
    /// - Parameter hasEnded: whether a suspension has ended.
    func acceptedAgain(
        _ account: UpstreamAccount,
        service: CredentialService,
        hasEnded: Bool
    ) {
        if hasEnded {
            self.logger.notice(
                "a mail server accepts the stored credential again",
                metadata: ["account": "\(account.address)", "for": "\(service.rawValue)"]
            )
        }
        self.release(account, service: service)
    }

    /// The server refused a login with this lease.
    func refused(_ lease: CredentialCircuits.Lease) {
        let tolerated = Self.tolerated(lease.account)
        let now = self.now()
        let begun = self.state.withLock {
            $0.circuits.refused(lease, tolerated: tolerated, at: now)
        }
        self.refused(lease.account, service: lease.service, begun: begun, at: now)
    }

    /// A command of the administrator found that a server refuses the credential in force.
    func refused(_ account: UpstreamAccount, service: CredentialService) {
        let tolerated = Self.tolerated(account)
        let now = self.now()
        let begun = self.state.withLock {
            $0.circuits.refused(account, service: service, tolerated: tolerated, at: now)
        }
        self.refused(account, service: service, begun: begun, at: now)
    }

    /// How many refusals suspend nothing yet.
    static func tolerated(_ account: UpstreamAccount) -> Int {
        account.usesToken ? self.toleratedTokenRefusals : 0
    }

    /// Logs the beginning of a suspension. The waiting logins of both services are decided again: a
    /// suspension can cover both.
    /// - Parameter begun: nil if no suspension begins.
    func refused(
        _ account: UpstreamAccount,
        service: CredentialService,
        begun: CredentialCircuits.Suspension?,
        at now: NIODeadline
    ) {
        if let begun {
            self.logger.error(
                "a mail server refused the stored credential: logins with it are suspended",
                metadata: [
                    "account": "\(account.address)", "for": "\(service.rawValue)",
                    "refusals": "\(begun.refusals)",
                    "seconds": "\((begun.until - now).nanoseconds / 1_000_000_000)",
                    "remedy": "gatepost account set \(account.address) --password-stdin",
                ]
            )
        }
        for service in CredentialService.allCases { self.release(account, service: service) }
    }

    /// A login ended without a verdict.
    /// - Parameter isUnanswered: whether the server had received the credential.
    func ended(_ lease: CredentialCircuits.Lease, isUnanswered: Bool) {
        let now = self.now()
        let begun = self.state.withLock {
            $0.circuits.ended(lease, isUnanswered: isUnanswered, at: now)
        }
        if let begun {
            self.logger.warning(
                "a mail server closes logins without an answer: logins there are paused",
                metadata: [
                    "account": "\(lease.account.address)", "for": "\(lease.service.rawValue)",
                    "times": "\(begun.unanswered)",
                    "seconds": "\((begun.until - now).nanoseconds / 1_000_000_000)",
                ]
            )
        }
        self.release(lease.account, service: lease.service)
    }
}
