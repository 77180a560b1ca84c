import Access
import NIOCore
import Store

/// The state of the circuit breakers of all accounts: which logins are under way, which stored credentials a mail
/// server refused, and when each may be tried again. Pure: time is a parameter.
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

    /// Permission for one login with one version of a credential. It is given back once, with a verdict or without.
    struct Lease: Equatable, Sendable {
        let account: UpstreamAccount
        let service: CredentialService
        /// No other lease has it; a later one has a greater number.
        let number: UInt64

        var key: Key { Key(account: self.account.id, service: self.service) }

        static func == (one: Lease, other: Lease) -> Bool { one.number == other.number }
    }

    /// Why no login is made for now.
    enum Denial: Equatable {
        /// The credential rests after a refusal.
        case credentialRefused
        /// The server is left alone, because it ended logins without an answer.
        case serverUnanswering
    }

    /// What a login that asks for permission is told.
    enum Admission: Equatable {
        case admitted(Lease)
        /// As many others as may are under way; their verdict decides.
        case waits
        case denied(Denial)
        /// The account has another server or credential by now.
        case outdated
    }

    /// A credential that is not tried for now.
    struct Suspension: Equatable {
        var service: CredentialService
        /// Refusals without a success between them.
        var refusals: Int
        var until: NIODeadline
    }

    /// A server that is not asked for now, because it ended logins without an answer.
    struct Pause: Equatable {
        /// Such logins without a success between them.
        var unanswered: Int
        var until: NIODeadline
    }

    struct Circuit {
        var server: UpstreamAccount.Server
        /// The logins under way.
        var leases: Set<UInt64> = []
        /// Refusals since the last success.
        var refusals = 0
        var suspendedUntil: NIODeadline?
        /// Until when the other server is not tried either, unless it has accepted the credential.
        var closesOtherUntil: NIODeadline?
        var acceptedAt: NIODeadline?
        /// Leases with smaller numbers began before a refusal, or a verdict of the command line, that has counted:
        /// what comes of them says nothing about what holds now.
        var judgedBefore: UInt64 = 0
        /// Logins since the last success that the server ended without an answer.
        var unanswered = 0
        var pausedUntil: NIODeadline?
        /// Leases with smaller numbers began before the last one of ``unanswered`` had ended.
        var unansweredBefore: UInt64 = 0

        func isSuspended(at now: NIODeadline) -> Bool {
            self.suspendedUntil.map { $0 > now } ?? false
        }

        /// How many logins may be under way.
        func limit(at now: NIODeadline) -> Int {
            guard let accepted = self.acceptedAt, self.refusals == 0, self.unanswered == 0,
                now - accepted < CredentialCircuits.trust
            else { return 1 }
            return CredentialCircuits.maximumUnderWay
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
    /// Logins of one credential at one server that are under way without a verdict. When the password changes there,
    /// all of them fail: fewer than the five after which servers lock. Logins of 50 ms each pass at 80 a second: 200
    /// clients that connect at once are in after 2.6 s. Those that wait give up after 15 s
    /// (`limits.upstreamTimeout`), by which 1,200 are in; a login has as long again once it is under way.
    static let maximumUnderWay = 4
    /// One dropped connection may be a server that restarts: the next login is tried at once, alone.
    static let toleratedUnanswered = 1
    /// Then 1, 2, 4 … 60 seconds pass between logins. Such a server may count them as failures, but it does not say so:
    /// it is asked again sooner than one that refused.
    static let firstUnansweredPause = TimeAmount.seconds(1)
    static let unansweredGrowth: Int64 = 2
    static let longestUnansweredPause = TimeAmount.minutes(1)

    var circuits: [Key: Circuit] = [:]
    var nextNumber: UInt64 = 1
    /// Accounts with a credential that a server has refused and that was not accepted since.
    var resting: Set<AccountID> = []

    init() {}

    /// How long a credential rests after so many refusals, one or more.
    static func pause(afterRefusals count: Int) -> TimeAmount {
        Self.pause(after: count, from: Self.firstPause, times: Self.growth, to: Self.longestPause)
    }

    /// How long a server is left alone after it ended so many logins without an answer.
    static func pause(afterUnanswered count: Int) -> TimeAmount {
        guard count > Self.toleratedUnanswered else { return .zero }
        return Self.pause(
            after: count - Self.toleratedUnanswered,
            from: Self.firstUnansweredPause,
            times: Self.unansweredGrowth,
            to: Self.longestUnansweredPause
        )
    }

    static func pause(
        after count: Int,
        from first: TimeAmount,
        times growth: Int64,
        to longest: TimeAmount
    ) -> TimeAmount {
        var pause = first
        for _ in 1..<max(count, 1) where pause < longest {
            pause = .nanoseconds(pause.nanoseconds * growth)
        }
        return min(pause, longest)
    }
}

// MARK: - Before a login

extension CredentialCircuits {
    /// Takes note of the account's server and credential in force. Where they are others than before all begins
    /// anew; leases of the old ones, and what comes of them, count no more.
    mutating func adopt(_ account: UpstreamAccount, service: CredentialService) {
        guard self.circuit(account, service: service) == nil else { return }
        let server = service.server(of: account)
        self.circuits[Key(account: account.id, service: service)] = server.map {
            Circuit(server: $0)
        }
    }

    /// May a login use the credential now?
    mutating func admit(
        _ account: UpstreamAccount,
        service: CredentialService,
        at now: NIODeadline
    ) -> Admission {
        guard !self.isStale(account, service: service) else { return .outdated }
        if let denial = self.denial(account, service: service, at: now) { return .denied(denial) }
        let lease = Lease(account: account, service: service, number: self.nextNumber)
        if let server = service.server(of: account) {
            var circuit = self.circuits[lease.key] ?? Circuit(server: server)
            guard circuit.leases.count < circuit.limit(at: now) else { return .waits }
            circuit.leases.insert(lease.number)
            self.circuits[lease.key] = circuit
        }
        self.nextNumber += 1
        return .admitted(lease)
    }

    /// Why a login would be turned away now; nil where none would. A refusal is told first: it needs the
    /// administrator.
    func denial(
        _ account: UpstreamAccount,
        service: CredentialService,
        at now: NIODeadline
    ) -> Denial? {
        if self.suspension(of: account, service, at: now) != nil { return .credentialRefused }
        guard let until = self.circuit(account, service: service)?.pausedUntil, until > now else {
            return nil
        }
        return .serverUnanswering
    }

    /// Why the credential rests at this service; nil where no refusal is in the way.
    func suspension(
        of account: UpstreamAccount,
        _ service: CredentialService,
        at now: NIODeadline
    ) -> Suspension? {
        let own = self.circuit(account, service: service)
        if let own, let until = own.suspendedUntil, until > now {
            return Suspension(service: service, refusals: own.refusals, until: until)
        }
        guard own?.acceptedAt == nil, let other = self.circuit(account, service: service.other),
            let until = other.closesOtherUntil, until > now
        else { return nil }
        return Suspension(service: service.other, refusals: other.refusals, until: until)
    }

    /// Of the account's present server and credential; nil where nothing is known of it.
    func circuit(_ account: UpstreamAccount, service: CredentialService) -> Circuit? {
        let circuit = self.circuits[Key(account: account.id, service: service)]
        return circuit?.server == service.server(of: account) ? circuit : nil
    }

    /// Whether this is another server, or another version of the credential, than what is in force.
    func isStale(_ account: UpstreamAccount, service: CredentialService) -> Bool {
        self.circuits[Key(account: account.id, service: service)] != nil
            && self.circuit(account, service: service) == nil
    }
}
