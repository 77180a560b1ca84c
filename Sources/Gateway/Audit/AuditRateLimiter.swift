import Access

/// Keeps somebody from filling the audit log with what was refused, by one connection after the other:
/// beyond so many records in a minute the rest is one. What was allowed is always recorded.
struct AuditRateLimiter {
    /// Refusals of one actor in a minute.
    static let maximum = 1_000
    private static let period: Int64 = 60

    /// What stands for every login that is none: who guesses chooses any number of names.
    private static let unknown = "unknown"

    private var began: Int64 = 0
    private var counts: [String: Int] = [:]

    /// Whether a record is written for itself.
    mutating func admits(_ record: AuditRecord) -> Bool {
        guard record.outcome == .refused else { return true }
        let actor = Self.counted(record.actor)
        self.counts[actor, default: 0] += 1
        return (self.counts[actor] ?? 0) <= Self.maximum
    }

    /// As whom an actor is counted.
    static func counted(_ actor: String) -> String {
        actor.hasPrefix("\(self.unknown) ") ? self.unknown : actor
    }

    /// - Returns: what stands for those that were not admitted; nothing before the minute is over.
    mutating func due(at now: Moment) -> [AuditRecord] {
        guard now.seconds - self.began >= Self.period || now.seconds < self.began else { return [] }
        self.began = now.seconds
        return self.flush()
    }

    /// The same, at the end.
    mutating func flush() -> [AuditRecord] {
        defer { self.counts = [:] }
        return self.counts.filter { $0.value > Self.maximum }.sorted { $0.key < $1.key }.map {
            var record = AuditRecord(event: "further", outcome: .refused, actor: $0.key)
            record.count = $0.value - Self.maximum
            record.detail = ["more refusals in a minute than are kept one by one"]
            return record
        }
    }
}
