import Access
import Testing

@testable import Session

/// The part of a client's login that IMAP and submission share.
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

    @Test func `a successful login is recorded and reports the account that it named`() {
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

    @Test func `a wrong password causes no second record, and the third one ends the connection`() {
        var login = ClientLogin()
        for number in 1...ClientLogin.maximumFailures {
            let result = Self.check(&login, .refused)
            #expect(Self.isFailed(result) && result.event == nil)
            #expect(result.endsConnection == (number == 3))
        }
        #expect(login.user == nil)
    }

    @Test func `a login that is refused without a password check is recorded and counted`() {
        var login = ClientLogin()
        _ = Self.check(&login, .refused)
        let second = login.refused()
        #expect(Self.isFailed(second) && second.event?.outcome == .refused)
        #expect(!second.endsConnection)
        let third = login.refused()
        #expect(third.endsConnection)
    }

    @Test func `the right password does not open an account that the user may not see`() {
        var login = ClientLogin()
        let result = Self.check(&login, Self.accepted(AccountID(7)), mayOpen: false)
        #expect(Self.isFailed(result) && result.event?.outcome == .refused)
        #expect(login.user == nil)
    }

    @Test func `a user who is not enabled is not logged in`() {
        var login = ClientLogin()
        let stranger = AuthenticationOutcome.accepted(UserID(99), account: nil, profiles: [:])
        let result = Self.check(&login, stranger)
        #expect(Self.isFailed(result) && result.event?.outcome == .refused)
        #expect(login.user == nil)
    }

    @Test func `an overloaded check and too many connections do not count as failures`() {
        var login = ClientLogin()
        for _ in 0..<10 {
            #expect(!Self.check(&login, .overloaded).endsConnection)
            let result = Self.check(&login, .tooManyConnections)
            #expect(result.event == .tooManyConnections && !result.endsConnection)
        }
        #expect(!Self.check(&login, .refused).endsConnection)
    }

    @Test func `octets before login are limited`() {
        var login = ClientLogin()
        let isWithin = login.octetsReceived(LoginMethods().maximumOctets)
        let isBeyond = !login.octetsReceived(1)
        #expect(isWithin && isBeyond)
    }
}
