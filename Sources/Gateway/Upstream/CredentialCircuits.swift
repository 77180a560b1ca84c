import Access
import NIOCore
import Store

/// The circuits of all accounts: which logins run, which stored credentials a mail server refused,
/// and when each may be used again. Pure: time is a parameter.
///
/// An account has one credential for two servers. A refusal by one server also suspends the other,
/// unless that one has accepted the same credential: then the refusal says nothing about the
/// password. The suspension of the other server ends with the first pause, so that a server which
/// accepts the credential is found. Refusals of both servers count together.
struct CredentialCircuits {
    /// One credential at one server.
    struct Key: Hashable, Sendable {
        var account: AccountID
        var service: CredentialService
    }

    /// Permission for one login with one version of a credential. It is returned once, with a
    /// verdict or without.
    struct Lease: Equatable, Sendable {
        let account: UpstreamAccount
        let service: CredentialService
        /// Unique; a later lease has a greater number.
        let number: UInt64

        var key: Key { Key(account: self.account.id, service: self.service) }

        static func == (one: Lease, other: Lease) -> Bool { one.number == other.number }
    }

    /// Why no login is permitted now.
    enum Denial: Equatable {
        /// The credential is suspended after a refusal.
        case credentialRefused
        /// Logins to the server are paused, because it ended earlier ones without an answer.
        case serverUnanswering
    }

    /// The decision about a login.
    enum Admission: Equatable {
        /// The login may run.
        case admitted(Lease)
        /// The maximum number of logins runs; their verdict decides.
        case waits
        /// The login must not run now.
        case denied(Denial)
        /// The account's server or credential has changed.
        case outdated
    }

    /// A credential that is not used for now.
    struct Suspension: Equatable {
        var service: CredentialService
        /// Consecutive refusals.
        var refusals: Int
        var until: NIODeadline
    }

    /// A server that gets no logins for now, because it ended earlier ones without an answer.
    struct Pause: Equatable {
        /// Consecutive logins without an answer.
        var unanswered: Int
        var until: NIODeadline
    }

    /// The state of one credential at one server.
    struct Circuit {
        /// The server and the version of the credential that the circuit is about.
        var server: UpstreamAccount.Server
        /// The numbers of running logins.
        var leases: Set<UInt64> = []
        /// Refusals since the last success.
        var refusals = 0
        /// The end of the suspension; nil if no refusal has caused one.
        var suspendedUntil: NIODeadline?
        /// Until when the other server is suspended as well, unless it has accepted the credential.
        var closesOtherUntil: NIODeadline?
        /// The last success; nil after a refusal.
        var acceptedAt: NIODeadline?
        /// Leases with smaller numbers began before a refusal or a command's verdict that has been
        /// counted. Their verdicts say nothing about the present state.
        var judgedBefore: UInt64 = 0
        /// Logins since the last success that the server ended without an answer.
        var unanswered = 0
        /// The end of the pause; nil if there was none since the last success.
        var pausedUntil: NIODeadline?
        /// Leases with smaller numbers began before the last unanswered login ended.
        var unansweredBefore: UInt64 = 0

        /// Whether this server's own refusals suspend the credential.
        func isSuspended(at now: NIODeadline) -> Bool {
            self.suspendedUntil.map { $0 > now } ?? false
        }

        /// How many logins may run at once: one, unless the credential was accepted within
        /// ``trust``.
        func limit(at now: NIODeadline) -> Int {
            guard let accepted = self.acceptedAt, self.refusals == 0, self.unanswered == 0,
                now - accepted < CredentialCircuits.trust
            else { return 1 }
            return CredentialCircuits.maximumUnderWay
        }
    }

    /// The first suspension. Mail servers lock an account or an address after about five failures
    /// within ten minutes to half an hour. Suspensions of 1, 4, 16 and 60 minutes cause three
    /// failures in ten minutes and four in half an hour.
    static let firstPause = TimeAmount.minutes(1)
    /// The factor between two suspensions.
    static let growth: Int64 = 4
    /// The longest suspension.
    static let longestPause = TimeAmount.hours(1)
    /// How long a success permits concurrent logins. After that, one login tries the credential
    /// alone and others wait for it: the password may have changed at the server, and fifty clients
    /// that connect at once must not cause fifty failures.
    static let trust = TimeAmount.minutes(1)
    /// Concurrent logins with one credential at one server. When the password changes there, all of
    /// them fail; four stay below the five failures after which servers lock.
    ///
    /// With logins of 50 ms each, 80 pass in a second: 200 clients that connect at once are logged
    /// in after 2.6 s. Waiting logins give up after 15 s (`limits.upstreamTimeout`), by which time
    /// 1,200 have passed; a login has the same time again once it runs.
    static let maximumUnderWay = 4
    /// Unanswered logins that cause no pause: a server that restarts drops a connection once. The
    /// next login runs at once, alone.
    static let toleratedUnanswered = 1
    /// The first pause after unanswered logins; 1, 2, 4 … 60 seconds follow. The server may count
    /// such logins as failures, but does not say so; it is asked again sooner than a server that
    /// refused.
    static let firstUnansweredPause = TimeAmount.seconds(1)
    /// The factor between two pauses.
    static let unansweredGrowth: Int64 = 2
    /// The longest pause.
    static let longestUnansweredPause = TimeAmount.minutes(1)

    /// Only circuits of accounts that were used since the start.
    var circuits: [Key: Circuit] = [:]
    /// The number of the next lease.
    var nextNumber: UInt64 = 1
    /// Accounts with a credential that a server refused and that was not accepted since.
    var suspended: Set<AccountID> = []

    init() {}

    /// How long a credential is suspended after this many refusals, one or more.
    static func pause(afterRefusals count: Int) -> TimeAmount {
        Self.pause(after: count, from: Self.firstPause, times: Self.growth, to: Self.longestPause)
    }

    /// How long logins to a server are paused after this many unanswered ones.
    static func pause(afterUnanswered count: Int) -> TimeAmount {
        guard count > Self.toleratedUnanswered else { return .zero }
        return Self.pause(
            after: count - Self.toleratedUnanswered,
            from: Self.firstUnansweredPause,
            times: Self.unansweredGrowth,
            to: Self.longestUnansweredPause
        )
    }

    /// Exponential growth with an upper limit.
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

/// Decisions before a login.
extension CredentialCircuits {
    /// Makes the server and credential of `account` the ones in force. If they differ from the
    /// previous ones, the circuit starts anew, and leases of the old ones do not count.
    mutating func adopt(_ account: UpstreamAccount, service: CredentialService) {
        guard self.circuit(account, service: service) == nil else { return }
        let server = service.server(of: account)
        self.circuits[Key(account: account.id, service: service)] = server.map {
            Circuit(server: $0)
        }
    }

    /// Decides whether a login may use the credential now.
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

    /// Why a login would be denied now; nil if it would not be. A refusal comes before a pause: it
    /// needs the administrator.
    func denial(
        _ account: UpstreamAccount,
        service: CredentialService,
        at now: NIODeadline
    ) -> Denial? {
        if self.suspension(of: account, service: service, at: now) != nil {
            return .credentialRefused
        }
        guard let until = self.circuit(account, service: service)?.pausedUntil, until > now else {
            return nil
        }
        return .serverUnanswering
    }

    /// The suspension that covers this service, of its own server or of the other one; nil if there
    /// is none.
    func suspension(
        of account: UpstreamAccount,
        service: CredentialService,
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

    /// The circuit of the account's present server and credential; nil if nothing is known about
    /// it.
    func circuit(_ account: UpstreamAccount, service: CredentialService) -> Circuit? {
        let circuit = self.circuits[Key(account: account.id, service: service)]
        return circuit?.server == service.server(of: account) ? circuit : nil
    }

    /// Whether the server or credential of `account` differs from the one in force.
    func isStale(_ account: UpstreamAccount, service: CredentialService) -> Bool {
        self.circuits[Key(account: account.id, service: service)] != nil
            && self.circuit(account, service: service) == nil
    }
}
