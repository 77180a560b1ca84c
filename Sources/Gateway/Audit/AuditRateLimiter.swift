import Access

/// Limits the records of refusals in the audit log, so that nobody can fill it over many
/// connections. Beyond a number of records in a minute, one record states the count of the rest.
/// What was allowed is always recorded.
struct AuditRateLimiter {
    /// Records of refusals of one actor in a minute.
    static let maximum = 1_000
    /// Seconds until further refusals are summed up.
    private static let period: Int64 = 60

    /// Stands for every unknown login: a guesser chooses any number of names.
    private static let unknown = "unknown"

    /// The start of the period, in seconds since 1970.
    private var began: Int64 = 0
    /// Refusals in the period, by actor.
    private var counts: [String: Int] = [:]

    /// Whether the caller writes this record. If not, it is counted.
    mutating func admits(_ record: AuditRecord) -> Bool {
        guard record.outcome == .refused else { return true }
        let actor = Self.counted(record.actor)
        self.counts[actor, default: 0] += 1
        return (self.counts[actor] ?? 0) <= Self.maximum
    }

    /// The name under which an actor is counted.
    static func counted(_ actor: String) -> String {
        actor.hasPrefix("\(self.unknown) ") ? self.unknown : actor
    }

    /// - Returns: the summary records of the last period; none before it is over.
    mutating func due(at now: Moment) -> [AuditRecord] {
        guard now.seconds - self.began >= Self.period || now.seconds < self.began else { return [] }
        self.began = now.seconds
        return self.flush()
    }

    /// Ends the period.
    /// - Returns: the summary records.
    mutating func flush() -> [AuditRecord] {
        defer { self.counts = [:] }
        return self.counts.filter { $0.value > Self.maximum }.sorted { $0.key < $1.key }.map {
            var record = AuditRecord(event: "further", outcome: .refused, actor: $0.key)
            record.count = $0.value - Self.maximum
            record.detail = ["further refusals within a minute, recorded as one"]
            return record
        }
    }
}
