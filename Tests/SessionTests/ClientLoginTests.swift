import Access
import Testing

@testable import Session

/// What the protocols have in common in a client's login.
@Suite struct ClientLoginTests {
    private static let fixture = Fixture()

    private static func accepted(_ account: AccountID? = nil) -> AuthenticationOutcome {
        .accepted(Self.fixture.anna, account: account, profiles: [:])
    }

    private static func check(
        _ login: inout ClientLogin,
        _ outcome: AuthenticationOutcome,
        mayOpen: Bool = true
    ) -> ClientLogin.Result {
        login.checked(outcome, in: Self.fixture.snapshot, mayOpen: mayOpen)
    }

    private static func isFailed(_ result: ClientLogin.Result) -> Bool {
        if case .failed = result.answer { true } else { false }
    }

    @Test func `a login that is right is recorded, and tells the account that it named`() {
        var login = ClientLogin()
        let account = AccountID(7)
        let result = Self.check(&login, Self.accepted(account))
        guard case .accepted(account, _) = result.answer else {
            Issue.record("\(result.answer)")
            return
        }
        #expect(login.user == Self.fixture.anna)
        #expect(result.event == AuditEvent("login") && !result.endsConnection)
    }

    @Test func `a wrong password was recorded by its check, and the third ends the connection`() {
        var login = ClientLogin()
        for number in 1...ClientLogin.maximumFailures {
            let result = Self.check(&login, .refused)
            #expect(Self.isFailed(result) && result.event == nil)
            #expect(result.endsConnection == (number == 3))
        }
        #expect(login.user == nil)
    }

    @Test func `what was refused without a check is recorded, and counts`() {
        var login = ClientLogin()
        _ = Self.check(&login, .refused)
        let second = login.refused()
        #expect(Self.isFailed(second) && second.event?.outcome == .refused)
        #expect(!second.endsConnection)
        let third = login.refused()
        #expect(third.endsConnection)
    }

    @Test func `a right password does not open an account that its user may not see`() {
        var login = ClientLogin()
        let result = Self.check(&login, Self.accepted(AccountID(7)), mayOpen: false)
        #expect(Self.isFailed(result) && result.event?.outcome == .refused)
        #expect(login.user == nil)
    }

    @Test func `a user who is not enabled any more is not logged in`() {
        var login = ClientLogin()
        let stranger = AuthenticationOutcome.accepted(UserID(99), account: nil, profiles: [:])
        let result = Self.check(&login, stranger)
        #expect(Self.isFailed(result) && result.event?.outcome == .refused)
        #expect(login.user == nil)
    }

    @Test func `what is no fault of the client's does not count`() {
        var login = ClientLogin()
        for _ in 0..<10 {
            #expect(!Self.check(&login, .overloaded).endsConnection)
            let result = Self.check(&login, .tooManyConnections)
            #expect(result.event == .tooManyConnections && !result.endsConnection)
        }
        #expect(!Self.check(&login, .refused).endsConnection)
    }

    @Test func `octets before login have a bound`() {
        var login = ClientLogin()
        let isWithin = login.octetsReceived(ClientLogin.maximumOctets)
        let isBeyond = !login.octetsReceived(1)
        #expect(isWithin && isBeyond)
    }
}
