import Access
import Session
import Testing

@Suite struct AuditLimiterTests {
    private static func event(_ name: String, _ count: Int? = nil) -> AuditEvent {
        var event = AuditEvent(name)
        event.count = count
        return event
    }

    @Test func `repeated events within a minute are one further record with their count`() {
        var limiter = AuditLimiter()
        #expect(limiter.admit(Self.event("status"), at: Moment(seconds: 100)).count == 1)
        for second in 101..<160 {
            let due = limiter.admit(Self.event("status"), at: Moment(seconds: Int64(second)))
            #expect(due.isEmpty)
        }
        let due = limiter.admit(Self.event("status"), at: Moment(seconds: 160))
        #expect(due.map(\.count) == [59, nil])
        #expect(due.first?.detail == ["again"])
        #expect(limiter.flush().isEmpty)
    }

    @Test func `where each record is required, what was allowed is recorded each time`() {
        var limiter = AuditLimiter(recordsEach: true)
        let now = Moment(seconds: 100)
        var event = Self.event("store", 1)
        event.mailbox = AuditEvent.MailboxReference(account: AccountID(1))
        for _ in 0..<3 { #expect(limiter.admit(event, at: now).count == 1) }
        var refused = event
        refused.outcome = .refused
        #expect(limiter.admit(refused, at: now).count == 1)
        #expect(limiter.admit(refused, at: now).isEmpty)
        #expect(limiter.flush().map(\.count) == [1])
        // As many as there may be different ones in a minute; the rest is one record.
        let all = (0..<1_000).flatMap { _ in limiter.admit(event, at: now) }
        #expect(all.count == 501)
        #expect(limiter.flush().map(\.count) == [499])
        #expect(limiter.admit(event, at: now).count == 1)
        #expect(limiter.admit(event, at: now).count == 1)
    }

    @Test func `numbers of read messages are added up`() {
        var limiter = AuditLimiter()
        let now = Moment(seconds: 100)
        #expect(limiter.admit(Self.event("fetch", 3), at: now).map(\.count) == [3])
        #expect(limiter.admit(Self.event("fetch", 4), at: now).isEmpty)
        #expect(limiter.admit(Self.event("fetch", 5), at: now).isEmpty)
        #expect(limiter.flush().map(\.count) == [9])
        #expect(limiter.flush().isEmpty)
    }

    @Test func `a client that tries a thousand names causes 500 records and one with a count`() {
        var limiter = AuditLimiter()
        let now = Moment(seconds: 100)
        let first = (0..<1_000).flatMap { limiter.admit(Self.event("select \($0)"), at: now) }
        #expect(first.count == 500)
        let rest = limiter.flush()
        #expect(rest.map(\.name) == ["further"] && rest.first?.count == 500)
    }

    @Test func `a clock that is set back ends the minute`() {
        var limiter = AuditLimiter()
        _ = limiter.admit(Self.event("status"), at: Moment(seconds: 1_000))
        _ = limiter.admit(Self.event("status"), at: Moment(seconds: 1_001))
        #expect(limiter.admit(Self.event("status"), at: Moment(seconds: 10)).count == 2)
    }
}
