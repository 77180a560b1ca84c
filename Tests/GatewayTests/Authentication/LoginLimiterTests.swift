import Access
import Testing

@testable import Gateway

/// Logins fill no disk.
@Suite struct LoginLimiterTests {
    private static func login(
        _ actor: String,
        _ from: String,
        _ outcome: AuditRecord.Outcome = .allowed
    ) -> AuditRecord {
        AuditRecord(event: "login", outcome: outcome, actor: actor, from: from)
    }

    @Test func `a user's logins from a network within a minute give two records`() {
        var limiter = LoginLimiter()
        _ = limiter.due(at: Moment(seconds: 1_000))
        let admitted = (0..<300).count { number in
            limiter.admits(Self.login("anna", "2001:db8:1:2::\(number)"))
        }
        let others = [
            limiter.admits(Self.login("bob", "2001:db8:1:2::1")),
            limiter.admits(Self.login("anna", "192.0.2.7")),
            limiter.admits(Self.login("anna", "2001:db8:1:2::1", .failed)),
            limiter.admits(AuditRecord(event: "select", actor: "anna")),
        ]
        #expect(admitted == 1 && others == [true, true, true, true])
        #expect(limiter.due(at: Moment(seconds: 1_059)) == [])
        let due = limiter.due(at: Moment(seconds: 1_060))
        #expect(due.map(\.count) == [299] && due.map(\.actor) == ["anna"])
        #expect(due.map(\.outcome) == [.allowed] && due.map(\.detail) == [["again"]])
        let next = limiter.admits(Self.login("anna", "2001:db8:1:2::1"))
        #expect(next)
    }

    @Test func `a user with many networks has a bounded number of records`() {
        var limiter = LoginLimiter()
        _ = limiter.due(at: Moment(seconds: 1_000))
        let admitted = (0..<200).count { limiter.admits(Self.login("anna", "192.0.2.\($0)")) }
        let isBobs = limiter.admits(Self.login("bob", "192.0.2.1"))
        let due = limiter.flush()
        #expect(admitted == LoginLimiter.maximumNetworks && isBobs)
        #expect(due.map(\.count) == [200 - LoginLimiter.maximumNetworks])
        #expect(due.map(\.from) == [nil])
    }

    @Test func `refusals of unknown logins share one limit`() {
        var limiter = AuditRateLimiter()
        _ = limiter.due(at: Moment(seconds: 1_000))
        let admitted = (0..<3_000).count { number in
            limiter.admits(Self.login("unknown x\(number)@x.example", "192.0.2.7", .refused))
        }
        let isAnnas = limiter.admits(Self.login("anna@kanzlei.example", "192.0.2.7", .refused))
        #expect(admitted == AuditRateLimiter.maximum && isAnnas)
        #expect(limiter.flush().map(\.count) == [2_000])
    }
}
