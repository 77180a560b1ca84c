import Access
import Support
import Testing

@testable import Gateway

/// Whatever comes, the numbers add up: each record is written for itself or counted in one that is.
@Suite struct AuditLimitersModelTests {
    private static func record(
        _ event: String,
        _ outcome: AuditRecord.Outcome,
        _ actor: String,
        _ from: String? = nil
    ) -> AuditRecord {
        AuditRecord(event: event, outcome: outcome, actor: actor, from: from)
    }

    @Test(arguments: 0..<6)
    func `written and counted refusals add up to all refusals`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var limiter = AuditRateLimiter()
        var now = Moment(seconds: 1_000)
        var asked: [String: Int] = [:]
        var written: [String: Int] = [:]
        for _ in 0..<12_000 {
            now = Moment(
                seconds: now.seconds + (Int.random(in: 0..<400, using: &random) == 0 ? 61 : 0)
            )
            for due in limiter.due(at: now) { written[due.actor, default: 0] += due.count ?? 0 }
            let actor = ["anna", "bob", "unknown a@x", "unknown b@x"][
                Int.random(in: 0..<4, using: &random)
            ]
            let counted = AuditRateLimiter.counted(actor)
            asked[counted, default: 0] += 1
            if limiter.admits(Self.record("select", .refused, actor)) {
                written[counted, default: 0] += 1
            }
        }
        for due in limiter.flush() { written[due.actor, default: 0] += due.count ?? 0 }
        #expect(asked == written)
    }

    @Test(arguments: 0..<6)
    func `written and counted logins add up to all logins`(seed: Int) {
        var random = Seeded(state: UInt64(seed))
        var limiter = LoginLimiter()
        var now = Moment(seconds: 1_000)
        var asked = 0
        var written = 0
        for _ in 0..<4_000 {
            now = Moment(
                seconds: now.seconds + (Int.random(in: 0..<200, using: &random) == 0 ? 61 : 0)
            )
            for due in limiter.due(at: now) {
                written += due.count ?? 0
                #expect(due.detail?.last == "again" && due.event == "login")
            }
            let actor = "user\(Int.random(in: 0..<3, using: &random))"
            let from = "192.0.2.\(Int.random(in: 0..<40, using: &random))"
            asked += 1
            if limiter.admits(Self.record("login", .allowed, actor, from)) { written += 1 }
        }
        for due in limiter.flush() { written += due.count ?? 0 }
        #expect(asked == written)
    }

    @Test(arguments: [
        ("unknown a@x.example", "unknown"), ("unknown ", "unknown"), ("unknown", "unknown"),
        ("anna@x.example", "anna@x.example"), ("unknowns", "unknowns"), ("", ""),
        ("Unknown a@x", "Unknown a@x"),
    ])
    func `all unknown logins are counted as one actor`(actor: String, counted: String) {
        #expect(AuditRateLimiter.counted(actor) == counted)
    }

    /// Seconds since the last minute began, and whether what was counted is due.
    @Test(arguments: [(0, false), (59, false), (60, true), (61, true), (-1, true), (3_600, true)])
    func `a summary is due after a minute, or when the clock went back`(
        seconds: Int64,
        isDue: Bool
    ) {
        var refusals = AuditRateLimiter()
        var logins = LoginLimiter()
        _ = refusals.due(at: Moment(seconds: 10_000))
        _ = logins.due(at: Moment(seconds: 10_000))
        for _ in 0...AuditRateLimiter.maximum {
            _ = refusals.admits(Self.record("select", .refused, "anna"))
        }
        for _ in 0..<2 { _ = logins.admits(Self.record("login", .allowed, "anna", "192.0.2.7")) }
        let moment = Moment(seconds: 10_000 + seconds)
        #expect(refusals.due(at: moment).isEmpty != isDue)
        #expect(logins.due(at: moment).isEmpty != isDue)
    }

    @Test(arguments: [
        ("login", AuditRecord.Outcome.allowed, true), ("login", .failed, true),
        ("login", .refused, false), ("select", .allowed, false), ("logout", .allowed, false),
    ])
    func `only logins that are not refused are summed up`(
        event: String,
        outcome: AuditRecord.Outcome,
        isCounted: Bool
    ) {
        var limiter = LoginLimiter()
        let admitted = (0..<5).count { _ in
            limiter.admits(Self.record(event, outcome, "anna", "192.0.2.7"))
        }
        #expect(admitted == (isCounted ? 1 : 5))
    }

    @Test
    func `outcomes, users and networks are counted separately, spellings of a network together`() {
        var limiter = LoginLimiter()
        for (actor, from, outcome, isAdmitted) in [
            ("anna", "192.0.2.7", AuditRecord.Outcome.allowed, true),
            ("anna", "192.0.2.7", .allowed, false), ("anna", "192.0.2.7", .failed, true),
            ("bob", "192.0.2.7", .allowed, true), ("anna", "192.0.2.8", .allowed, true),
            ("anna", "2001:db8:1:2::1", .allowed, true),
            ("anna", "2001:db8:1:2:ffff::9", .allowed, false),
            ("anna", "2001:db8:1:3::1", .allowed, true),
            ("anna", "::ffff:192.0.2.7", .allowed, false),
            ("anna", nil, .allowed, true), ("anna", "no address", .allowed, false),
        ] as [(String, String?, AuditRecord.Outcome, Bool)] {
            let admitted = limiter.admits(Self.record("login", outcome, actor, from))
            #expect(admitted == isAdmitted, "\(actor) \(from ?? "-") \(outcome)")
        }
    }
}
