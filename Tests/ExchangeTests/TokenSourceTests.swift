import Testing

@testable import Exchange

/// How often tokens are requested after a refusal.
@Suite struct TokenSourceTests {
    @Test func `a permanent refusal is repeated for longer each time`() {
        let refusal = OnlineError("Entra gives no token (HTTP 401)")
        let seconds = (0..<7).map { TokenSource.lifetime(of: refusal, after: $0) }
        #expect(seconds == [10, 40, 160, 640, 2_560, 3_600, 3_600])
    }

    @Test func `a temporary refusal is repeated for ten seconds`() {
        let busy = OnlineError("Entra gives no token (HTTP 503)", isPassing: true)
        #expect(TokenSource.lifetime(of: busy, after: 7) == 10)
    }
}
