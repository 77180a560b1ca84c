import Access

/// Keeps logins from filling the audit log: within a minute the first of a user from a network, and the first that
/// was turned away, is a record at once; the others are one more record with their count. Refused ones are counted by
/// ``RefusalLimiter``.
struct LoginLimiter {
    /// Networks of one actor that have records of their own in a minute; a person has one or two, a hostile user any
    /// number.
    static let maximumNetworks = 20
    private static let period: Int64 = 60

    private struct Key: Hashable {
        var actor: String
        /// Empty for all networks beyond the first.
        var network: String
        var outcome: AuditRecord.Outcome
    }

    private var began: Int64 = 0
    private var repeats: [Key: (record: AuditRecord, count: Int)] = [:]
    private var networks: [String: Int] = [:]

    /// Whether a record is written for itself.
    mutating func admits(_ record: AuditRecord) -> Bool {
        guard record.event == "login", record.outcome != .refused else { return true }
        var key = Key(
            actor: AuditRateLimiter.counted(record.actor),
            network: Network(text: record.from).description,
            outcome: record.outcome
        )
        if self.repeats[key] == nil {
            if self.networks[key.actor, default: 0] < Self.maximumNetworks {
                self.networks[key.actor, default: 0] += 1
                self.repeats[key] = (record, 0)
                return true
            }
            key.network = ""
        }
        self.repeats[key, default: (record, 0)].count += 1
        return false
    }

    /// - Returns: what stands for those that were not admitted; nothing before the minute is over.
    mutating func due(at now: Moment) -> [AuditRecord] {
        guard now.seconds - self.began >= Self.period || now.seconds < self.began else { return [] }
        self.began = now.seconds
        return self.flush()
    }

    /// The same, at the end.
    mutating func flush() -> [AuditRecord] {
        defer {
            self.repeats = [:]
            self.networks = [:]
        }
        return self.repeats.filter { $0.value.count > 0 }
            .sorted { ($0.key.actor, $0.key.network) < ($1.key.actor, $1.key.network) }
            .map { key, repeated in
                var record = repeated.record
                record.actor = key.actor
                record.count = repeated.count
                record.from = key.network.isEmpty ? nil : record.from
                record.detail = (record.detail ?? []) + ["again"]
                return record
            }
    }
}
