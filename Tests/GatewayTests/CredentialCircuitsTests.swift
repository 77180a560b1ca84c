import Access
import NIOCore
import Testing

@testable import Gateway
@testable import Store

extension CredentialCircuits.Admission {
    fileprivate static let suspended = Self.denied(.credentialRefused)
}

extension CredentialCircuits {
    fileprivate func isSuspended(
        _ account: UpstreamAccount,
        _ service: CredentialService,
        at now: NIODeadline
    ) -> Bool {
        self.denial(account, service: service, at: now) != nil
    }
}

/// When a stored credential is tried, and when it rests.
@Suite struct CredentialCircuitsTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    static func account(
        version: Int64 = 1,
        host: String = "mail.kanzlei.example"
    ) -> UpstreamAccount {
        UpstreamAccount(
            id: AccountID(7),
            kind: .imap,
            address: "bob@kanzlei.example",
            imap: Endpoint(host: host, port: 993, tls: .implicit),
            smtp: Endpoint(host: host, port: 465, tls: .implicit),
            username: "bob",
            sealedPassword: nil,
            credentialVersion: version
        )
    }

    /// - Returns: the pause that a refusal begins.
    private static func refuse(
        _ circuits: inout CredentialCircuits,
        _ service: CredentialService = .imap,
        at now: NIODeadline
    ) -> TimeAmount? {
        circuits.refused(Self.account(), service: service, tolerated: 0, at: now).map {
            $0.until - now
        }
    }

    /// A login that has to be admitted.
    private static func login(
        _ circuits: inout CredentialCircuits,
        _ account: UpstreamAccount = Self.account(),
        _ service: CredentialService = .imap,
        at now: NIODeadline = Self.start
    ) throws -> CredentialCircuits.Lease {
        let admission = circuits.admit(account, service: service, at: now)
        guard case .admitted(let lease) = admission else { throw Refused(admission: admission) }
        return lease
    }

    private struct Refused: Error {
        var admission: CredentialCircuits.Admission
    }

    private static func accept(
        _ circuits: inout CredentialCircuits,
        _ service: CredentialService = .imap
    ) {
        _ = circuits.accepted(Self.account(), service: service, at: Self.start)
    }

    @Test func `the pause grows to one hour`() throws {
        var circuits = CredentialCircuits()
        var now = Self.start
        var pauses: [Int64] = []
        for _ in 0..<6 {
            let lease = try Self.login(&circuits, at: now)
            let begun = circuits.refused(lease, tolerated: 0, at: now)
            let until = try #require(begun).until
            pauses.append((until - now).nanoseconds / 1_000_000_000)
            #expect(circuits.admit(Self.account(), service: .imap, at: now) == .suspended)
            let almost = until - .nanoseconds(1)
            #expect(circuits.admit(Self.account(), service: .imap, at: almost) == .suspended)
            now = until
        }
        #expect(pauses == [60, 240, 960, 3_600, 3_600, 3_600])
    }

    @Test func `one login tries an unproven credential, and the others wait`()
        throws
    {
        var circuits = CredentialCircuits()
        let account = Self.account()
        let first = try Self.login(&circuits)
        #expect(circuits.admit(account, service: .imap, at: Self.start) == .waits)
        #expect(circuits.ended(first, isUnanswered: false, at: Self.start) == nil)
        let second = try Self.login(&circuits)
        #expect(circuits.accepted(second, at: Self.start) == false)
        let others = [try Self.login(&circuits), try Self.login(&circuits)]
        for other in others { _ = circuits.ended(other, isUnanswered: false, at: Self.start) }
        let later = Self.start + CredentialCircuits.trust
        _ = try Self.login(&circuits, at: later)
        #expect(circuits.admit(account, service: .imap, at: later) == .waits)
    }

    @Test func `a login without a verdict changes nothing`() throws {
        var circuits = CredentialCircuits()
        let account = Self.account()
        let lease = try Self.login(&circuits)
        #expect(circuits.ended(lease, isUnanswered: false, at: Self.start) == nil)
        #expect(circuits.suspension(of: account, service: .imap, at: Self.start) == nil)
        #expect(!circuits.isSuspended(account, .imap, at: Self.start))
    }

    @Test func `a changed credential, or server, is tried at once`() throws {
        var circuits = CredentialCircuits()
        #expect(Self.refuse(&circuits, at: Self.start) != nil)
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .suspended)
        let changed = Self.account(version: 2)
        for service in CredentialService.allCases { circuits.adopt(changed, service: service) }
        _ = try Self.login(&circuits, changed, .submission)
        let lease = try Self.login(&circuits, changed)
        #expect(circuits.refused(lease, tolerated: 0, at: Self.start) != nil)
        let moved = Self.account(version: 2, host: "new.kanzlei.example")
        circuits.adopt(moved, service: .imap)
        let trial = try Self.login(&circuits, moved)
        // What the old server says late is not about the new one.
        #expect(circuits.refused(changed, service: .imap, tolerated: 0, at: Self.start) == nil)
        #expect(circuits.suspension(of: moved, service: .imap, at: Self.start) == nil)
        #expect(circuits.ended(trial, isUnanswered: false, at: Self.start) == nil)
        _ = try Self.login(&circuits, moved)
    }

    @Test func `a login with an old credential is not admitted, and does not affect the new one`()
        throws
    {
        var circuits = CredentialCircuits()
        let changed = Self.account(version: 2)
        _ = try Self.login(&circuits)
        circuits.adopt(changed, service: .imap)
        #expect(circuits.refused(changed, service: .imap, tolerated: 0, at: Self.start) != nil)
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .outdated)
        #expect(circuits.admit(changed, service: .imap, at: Self.start) == .suspended)
    }

    @Test
    func `a lease of an old credential frees no slot of the new one, and gives no verdict on it`()
        throws
    {
        var circuits = CredentialCircuits()
        let changed = Self.account(version: 2)
        Self.accept(&circuits)
        let old = try (0..<3).map { _ in try Self.login(&circuits) }
        circuits.adopt(changed, service: .imap)
        let lease = try Self.login(&circuits, changed)
        #expect(circuits.refused(old[0], tolerated: 0, at: Self.start) == nil)
        #expect(circuits.accepted(old[1], at: Self.start) == false)
        #expect(circuits.ended(old[2], isUnanswered: true, at: Self.start) == nil)
        #expect(circuits.admit(changed, service: .imap, at: Self.start) == .waits)
        // Nor when the account has the old server again.
        circuits.adopt(Self.account(), service: .imap)
        let again = try Self.login(&circuits)
        #expect(circuits.refused(lease, tolerated: 0, at: Self.start) == nil)
        #expect(circuits.refused(old[0], tolerated: 0, at: Self.start) == nil)
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .waits)
        #expect(circuits.refused(again, tolerated: 0, at: Self.start) != nil)
    }

    @Test func `a lease is returned once`() throws {
        var circuits = CredentialCircuits()
        Self.accept(&circuits)
        var leases: [CredentialCircuits.Lease] = []
        for _ in 0..<CredentialCircuits.maximumUnderWay { leases.append(try Self.login(&circuits)) }
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .waits)
        for _ in 0..<3 { _ = circuits.accepted(leases[0], at: Self.start) }
        _ = try Self.login(&circuits)
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .waits)
    }

    @Test func `of thirty concurrent logins four fail when the password has changed`() throws {
        var circuits = CredentialCircuits()
        Self.accept(&circuits)
        let admissions = (0..<30).map { _ in
            circuits.admit(Self.account(), service: .imap, at: Self.start)
        }
        let leases = admissions.compactMap { admission in
            if case .admitted(let lease) = admission { lease } else { nil }
        }
        #expect(leases.count == 4)
        #expect(circuits.refused(leases[0], tolerated: 0, at: Self.start) != nil)
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .suspended)
        for lease in leases.dropFirst() {
            #expect(circuits.refused(lease, tolerated: 0, at: Self.start + .seconds(61)) == nil)
        }
        #expect(
            circuits.suspension(of: Self.account(), service: .imap, at: Self.start)?.refusals == 1
        )
        // After the pause one tries.
        _ = try Self.login(&circuits, at: Self.start + .seconds(61))
        #expect(
            circuits.admit(Self.account(), service: .imap, at: Self.start + .seconds(61)) == .waits
        )
    }

    @Test func `two hundred logins of 50 ms each are done after 2.6 seconds`() {
        var circuits = CredentialCircuits()
        var now = Self.start
        var waiting = 200
        var underWay: [CredentialCircuits.Lease] = []
        while waiting > 0 || !underWay.isEmpty {
            while waiting > 0,
                case .admitted(let lease) = circuits.admit(Self.account(), service: .imap, at: now)
            {
                underWay.append(lease)
                waiting -= 1
            }
            #expect(underWay.count <= CredentialCircuits.maximumUnderWay)
            now = now + .milliseconds(50)
            for lease in underWay { _ = circuits.accepted(lease, at: now) }
            underWay = []
        }
        #expect(now - Self.start == .milliseconds(2_550))
    }

    @Test func `a login that began before a refusal does not end the suspension`() throws {
        var circuits = CredentialCircuits()
        Self.accept(&circuits)
        let leases = [try Self.login(&circuits), try Self.login(&circuits)]
        #expect(circuits.refused(leases[0], tolerated: 0, at: Self.start) != nil)
        #expect(circuits.accepted(leases[1], at: Self.start) == false)
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .suspended)
    }

    @Test func `a login that began before a command's success causes no suspension`() throws {
        var circuits = CredentialCircuits()
        let lease = try Self.login(&circuits)
        Self.accept(&circuits)
        #expect(circuits.refused(lease, tolerated: 0, at: Self.start) == nil)
        _ = try Self.login(&circuits)
    }

    @Test func `unanswered logins cause pauses from one second to one minute`() throws {
        var circuits = CredentialCircuits()
        var now = Self.start
        var pauses: [Int64] = []
        for _ in 0..<9 {
            let lease = try Self.login(&circuits, at: now)
            #expect(circuits.admit(Self.account(), service: .imap, at: now) == .waits)
            let pause = circuits.ended(lease, isUnanswered: true, at: now)
            pauses.append(pause.map { ($0.until - now).nanoseconds / 1_000_000_000 } ?? 0)
            // It is no refusal, and the other server has nothing to do with it.
            #expect(circuits.suspension(of: Self.account(), service: .imap, at: now) == nil)
            #expect(circuits.suspended.isEmpty)
            #expect(!circuits.isSuspended(Self.account(), .submission, at: now))
            guard let pause else { continue }
            let almost = pause.until - .nanoseconds(1)
            let denied = circuits.admit(Self.account(), service: .imap, at: almost)
            #expect(denied == .denied(.serverUnanswering))
            now = pause.until
        }
        #expect(pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60])
        // A success begins anew, and so does another credential.
        _ = circuits.accepted(try Self.login(&circuits, at: now), at: now)
        let lease = try Self.login(&circuits, at: now)
        #expect(circuits.ended(lease, isUnanswered: true, at: now) == nil)
        let second = try Self.login(&circuits, at: now)
        let pause = circuits.ended(second, isUnanswered: true, at: now)
        #expect(pause?.until == now + .seconds(1))
        circuits.adopt(Self.account(version: 2), service: .imap)
        _ = try Self.login(&circuits, Self.account(version: 2), at: now)
    }

    @Test func `a refusal is reported before a pause after unanswered logins`() throws {
        var circuits = CredentialCircuits()
        for _ in 0..<2 {
            let lease = try Self.login(&circuits)
            _ = circuits.ended(lease, isUnanswered: true, at: Self.start)
        }
        #expect(
            circuits.denial(Self.account(), service: .imap, at: Self.start) == .serverUnanswering
        )
        #expect(Self.refuse(&circuits, at: Self.start) != nil)
        #expect(
            circuits.denial(Self.account(), service: .imap, at: Self.start) == .credentialRefused
        )
    }

    @Test
    func
        `connections that a server drops together count once, and a success among them ends the count`()
        throws
    {
        var circuits = CredentialCircuits()
        Self.accept(&circuits)
        let leases = try (0..<4).map { _ in try Self.login(&circuits) }
        for lease in leases.dropLast() {
            #expect(circuits.ended(lease, isUnanswered: true, at: Self.start) == nil)
        }
        // Alone now.
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .waits)
        _ = circuits.accepted(leases[3], at: Self.start)
        _ = try Self.login(&circuits)
        _ = try Self.login(&circuits)
    }

    @Test func `a refusal counts for both protocols`() throws {
        var circuits = CredentialCircuits()
        #expect(Self.refuse(&circuits, .submission, at: Self.start) != nil)
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .suspended)
        #expect(circuits.admit(Self.account(), service: .submission, at: Self.start) == .suspended)
        // The other server may be asked once after the first pause; what it refuses counts with the rest.
        let later = Self.start + .seconds(60)
        let lease = try Self.login(&circuits, at: later)
        let second = circuits.refused(lease, tolerated: 0, at: later)
        #expect(second?.until == later + .seconds(240))
        #expect(circuits.admit(Self.account(), service: .submission, at: later) == .suspended)
        _ = try Self.login(&circuits, Self.account(), .submission, at: later + .seconds(60))
        #expect(Self.refuse(&circuits, .submission, at: later + .seconds(60)) == .seconds(960))
    }

    @Test
    func `a refusal by one server does not suspend the other that has accepted the credential`()
        throws
    {
        var circuits = CredentialCircuits()
        Self.accept(&circuits)
        #expect(Self.refuse(&circuits, .submission, at: Self.start) != nil)
        _ = try Self.login(&circuits)
        #expect(circuits.admit(Self.account(), service: .submission, at: Self.start) == .suspended)
        // But one refusal there ends that.
        #expect(Self.refuse(&circuits, .imap, at: Self.start) != nil)
        #expect(circuits.admit(Self.account(), service: .imap, at: Self.start) == .suspended)
    }

    @Test func `concurrent logins count as one refusal, and a success resets the count`() {
        var circuits = CredentialCircuits()
        #expect(Self.refuse(&circuits, at: Self.start) == .seconds(60))
        #expect(Self.refuse(&circuits, at: Self.start) == nil)
        #expect(Self.refuse(&circuits, at: Self.start + .seconds(60)) == .seconds(240))
        Self.accept(&circuits)
        #expect(Self.refuse(&circuits, at: Self.start) == .seconds(60))
    }

    @Test func `one refusal of a token suspends nothing, the second one does`() throws {
        var circuits = CredentialCircuits()
        Self.accept(&circuits)
        // All of them have the same token.
        for lease in try (0..<4).map({ _ in try Self.login(&circuits) }) {
            #expect(circuits.refused(lease, tolerated: 1, at: Self.start) == nil)
        }
        let lease = try Self.login(&circuits)
        let second = circuits.refused(lease, tolerated: 1, at: Self.start)
        #expect(second?.until == Self.start + .seconds(60))
    }
}
