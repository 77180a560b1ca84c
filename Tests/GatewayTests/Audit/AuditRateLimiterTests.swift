import Access
import Testing

@testable import Gateway

/// What is refused fills no disk.
@Suite struct AuditRateLimiterTests {
    private static func record(_ actor: String, _ outcome: AuditRecord.Outcome) -> AuditRecord {
        AuditRecord(event: "status", outcome: outcome, actor: actor)
    }

    /// How many of so many refusals are admitted.
    private static func refuse(
        _ count: Int,
        _ actor: String,
        _ limiter: inout AuditRateLimiter
    ) -> Int {
        (0..<count).count { _ in limiter.admits(Self.record(actor, .refused)) }
    }

    @Test func `beyond a limit refusals are counted, for each actor separately`() {
        var limiter = AuditRateLimiter()
        let first = limiter.due(at: Moment(seconds: 1_000))
        let admitted = Self.refuse(1_500, "anna", &limiter)
        let others = Self.refuse(1, "bob", &limiter)
        let isAllowedKept = limiter.admits(Self.record("anna", .allowed))
        let isFailedKept = limiter.admits(Self.record("anna", .failed))
        let early = limiter.due(at: Moment(seconds: 1_059))
        let due = limiter.due(at: Moment(seconds: 1_060))
        let again = Self.refuse(1, "anna", &limiter)
        let last = limiter.flush()
        #expect(admitted == AuditRateLimiter.maximum && others == 1 && again == 1)
        #expect(isAllowedKept && isFailedKept)
        #expect(first == [] && early == [] && last == [])
        #expect(due.map(\.actor) == ["anna"] && due.map(\.count) == [500])
        #expect(due.allSatisfy { $0.event == "further" && $0.outcome == .refused })
    }

    @Test func `a clock that goes back suppresses no records`() {
        var limiter = AuditRateLimiter()
        _ = limiter.due(at: Moment(seconds: 1_000))
        _ = Self.refuse(1_100, "anna", &limiter)
        let due = limiter.due(at: Moment(seconds: 10))
        let again = Self.refuse(1, "anna", &limiter)
        #expect(due.map(\.count) == [100] && again == 1)
    }
}
