import Access

/// Limits the records of successful and overloaded logins in the audit log.
///
/// In each minute, the first login of a user from a network has its own record, and so has the
/// first one that was turned away. All further ones are summed up in one record with their count.
/// ``AuditRateLimiter`` limits the records of refused logins.
struct LoginLimiter {
    /// Networks of one actor with records of their own in a minute. A person uses one or two; a
    /// hostile user any number.
    static let maximumNetworks = 20
    /// Seconds until repeated logins are summed up.
    private static let period: Int64 = 60

    /// Logins that are summed up together.
    private struct Key: Hashable {
        var actor: String
        /// Empty for all networks beyond ``maximumNetworks``.
        var network: String
        var outcome: AuditRecord.Outcome
    }

    /// The start of the period, in seconds since 1970.
    private var began: Int64 = 0
    /// The first record of each key, and how many followed it.
    private var repeats: [Key: (record: AuditRecord, count: Int)] = [:]
    /// How many networks of an actor have keys of their own.
    private var networks: [String: Int] = [:]

    /// Whether the caller writes this record. If not, it is counted.
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

    /// - Returns: the summary records of the last period; none before it is over.
    mutating func due(at now: Moment) -> [AuditRecord] {
        guard now.seconds - self.began >= Self.period || now.seconds < self.began else { return [] }
        self.began = now.seconds
        return self.flush()
    }

    /// Ends the period.
    /// - Returns: the summary records.
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
