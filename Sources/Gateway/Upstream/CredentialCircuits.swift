import Access
import NIOCore
import Store

/// The state of the circuit breakers of all accounts: which stored credentials a mail server refused, and when
/// each may be tried again. Pure: time is a parameter.
///
/// An account has one credential for two servers. After a refusal by one of them the other is not tried either, unless
/// it has accepted the same credential: then the refusal says nothing about the password. That ends with the first
/// pause, so that a server which takes the credential is found; but refusals of both servers count together.
struct CredentialCircuits {
    /// One credential at one server.
    struct Key: Hashable, Sendable {
        var account: AccountID
        var service: CredentialService
    }

    /// What a login that asks for permission is told.
    enum Admission: Equatable {
        case admitted
        /// Another login tries this credential now; its verdict decides.
        case waits
        case suspended
    }

    /// A credential that is not tried for now.
    struct Suspension: Equatable {
        var service: CredentialService
        /// Refusals without a success between them.
        var refusals: Int
        var until: NIODeadline
    }

    private struct Circuit {
        var server: UpstreamAccount.Server
        /// Refusals since the last success.
        var refusals = 0
        var suspendedUntil: NIODeadline?
        /// Until when the other server is not tried either, unless it has accepted the credential.
        var closesOtherUntil: NIODeadline?
        var acceptedAt: NIODeadline?
        /// One login tries the credential, and others wait for its verdict.
        var isTrying = false

        func isSuspended(at now: NIODeadline) -> Bool {
            self.suspendedUntil.map { $0 > now } ?? false
        }
    }

    /// Servers lock an account or an address after some five failures within ten minutes to half an hour.
    /// 1, 4, 16 and 60 minutes after each other make three failures in ten minutes, and four in half an hour.
    static let firstPause = TimeAmount.minutes(1)
    static let growth: Int64 = 4
    static let longestPause = TimeAmount.hours(1)
    /// After so long without a success one login tries the credential alone and others wait for it: the password
    /// may have changed at the server, and fifty clients that connect at once must not make fifty failures.
    static let trust = TimeAmount.minutes(1)

    private var circuits: [Key: Circuit] = [:]
    /// Accounts with a credential that a server has refused and that was not accepted since.
    private(set) var resting: Set<AccountID> = []

    init() {}

    /// How long a credential rests after so many refusals, one or more.
    static func pause(afterRefusals count: Int) -> TimeAmount {
        var pause = Self.firstPause
        for _ in 1..<max(count, 1) where pause < Self.longestPause {
            pause = .nanoseconds(pause.nanoseconds * Self.growth)
        }
        return min(pause, Self.longestPause)
    }

    /// May a login use the credential now?
    mutating func admit(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        at now: NIODeadline
    ) -> Admission {
        guard let server = service.server(of: account) else { return .admitted }
        guard self.suspension(of: account, service, at: now) == nil else { return .suspended }
        let key = Key(account: account.id, service: service)
        // A changed server or credential begins anew.
        var circuit = self.circuit(account, service) ?? Circuit(server: server)
        defer { self.circuits[key] = circuit }
        if circuit.isTrying { return .waits }
        if let accepted = circuit.acceptedAt, circuit.refusals == 0, now - accepted < Self.trust {
            return .admitted
        }
        circuit.isTrying = true
        return .admitted
    }

    /// Why the credential rests at this service; nil where it may be tried.
    func suspension(
        of account: UpstreamAccount,
        _ service: CredentialService,
        at now: NIODeadline
    ) -> Suspension? {
        let own = self.circuit(account, service)
        if let own, let until = own.suspendedUntil, until > now {
            return Suspension(service: service, refusals: own.refusals, until: until)
        }
        guard own?.acceptedAt == nil, let other = self.circuit(account, service.other),
            let until = other.closesOtherUntil, until > now
        else { return nil }
        return Suspension(service: service.other, refusals: other.refusals, until: until)
    }

    /// Of the account's present server and credential; nil where nothing is known of it.
    private func circuit(_ account: UpstreamAccount, _ service: CredentialService) -> Circuit? {
        let circuit = self.circuits[Key(account: account.id, service: service)]
        return circuit?.server == service.server(of: account) ? circuit : nil
    }

    /// Whether a verdict is about another server, or an older credential, than what is tried now.
    private func isStale(_ account: UpstreamAccount, _ service: CredentialService) -> Bool {
        self.circuits[Key(account: account.id, service: service)] != nil
            && self.circuit(account, service) == nil
    }

    /// Begins anew where the account has another server or credential than what was tried last.
    mutating func adopt(_ account: UpstreamAccount, _ service: CredentialService) {
        guard self.isStale(account, service) else { return }
        self.circuits[Key(account: account.id, service: service)] = nil
    }

    /// The server accepted the credential: nothing rests any more.
    mutating func accepted(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        at now: NIODeadline
    ) {
        guard let server = service.server(of: account), !self.isStale(account, service) else {
            return
        }
        let key = Key(account: account.id, service: service)
        self.circuits[key] = Circuit(server: server, acceptedAt: now)
        let isRefusedElsewhere = self.circuit(account, service.other)?.suspendedUntil != nil
        if !isRefusedElsewhere { self.resting.remove(account.id) }
        self.circuits[Key(account: account.id, service: service.other)]?.closesOtherUntil = nil
    }

    /// The server refused the credential.
    /// - Parameter tolerated: refusals that suspend nothing yet: one for a token, because the next try has a new one.
    /// - Returns: the suspension that begins; nil where one is in force, or none is due yet.
    mutating func refused(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        tolerated: Int,
        at now: NIODeadline
    ) -> Suspension? {
        guard let server = service.server(of: account), !self.isStale(account, service) else {
            return nil
        }
        var circuit = self.circuit(account, service) ?? Circuit(server: server)
        defer { self.circuits[Key(account: account.id, service: service)] = circuit }
        circuit.isTrying = false
        circuit.acceptedAt = nil
        // Logins that were under way together are one refusal.
        guard !circuit.isSuspended(at: now) else { return nil }
        let isFirst = circuit.refusals <= tolerated
        let others = self.circuit(account, service.other)?.refusals ?? 0
        circuit.refusals = max(circuit.refusals, others) + 1
        guard circuit.refusals > tolerated else { return nil }
        if isFirst { circuit.closesOtherUntil = now + Self.firstPause }
        let until = now + Self.pause(afterRefusals: circuit.refusals - tolerated)
        circuit.suspendedUntil = until
        self.resting.insert(account.id)
        return Suspension(service: service, refusals: circuit.refusals, until: until)
    }

    /// The login that others waited for came to no verdict: the server was not reached, or could not say.
    mutating func ended(_ account: UpstreamAccount, _ service: CredentialService) {
        let key = Key(account: account.id, service: service)
        guard self.circuit(account, service) != nil else { return }
        self.circuits[key]?.isTrying = false
    }

    /// Forgets those accounts at rest that the store does not have any more, and what rests no more.
    mutating func keep(at now: NIODeadline, where isInStore: (AccountID) -> Bool) {
        for account in self.resting {
            let keys = CredentialService.allCases.map { Key(account: account, service: $0) }
            guard isInStore(account) else {
                for key in keys { self.circuits[key] = nil }
                self.resting.remove(account)
                continue
            }
            let rests = keys.contains { key in
                guard let circuit = self.circuits[key] else { return false }
                return circuit.isSuspended(at: now)
                    || circuit.closesOtherUntil.map { $0 > now } ?? false
            }
            if !rests { self.resting.remove(account) }
        }
    }
}
