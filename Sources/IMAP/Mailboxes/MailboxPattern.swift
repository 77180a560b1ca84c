/// A LIST pattern: `*` matches any octets, `%` matches any octets except `/` (RFC 9051 §6.3.9).
package struct MailboxPattern: Equatable, Sendable {
    private static let star = UInt8(ascii: "*")
    private static let percent = UInt8(ascii: "%")
    /// The longest pattern, in octets: it is matched against every listed name.
    package static let maximumOctets = 1_024

    private let octets: [UInt8]
    /// Bit masks over the positions of the pattern, including its end: the positions of each octet,
    /// of `*`, and of both wildcards.
    private let places: [UInt8: [UInt64]]
    private let stars: [UInt64]
    private let wildcards: [UInt64]

    /// - Parameter octets: the decoded pattern with its wildcards; INBOX in any case at the start.
    package init(_ octets: [UInt8]) {
        // Consecutive wildcards match the same as one of them, at a higher cost.
        var collapsed: [UInt8] = []
        for octet in MailboxName(octets).octets {
            if octet == Self.star || octet == Self.percent, let last = collapsed.last,
                last == Self.star || last == Self.percent
            {
                if octet == Self.star { collapsed[collapsed.count - 1] = Self.star }
            } else {
                collapsed.append(octet)
            }
        }
        self.octets = collapsed
        let none = [UInt64](repeating: 0, count: collapsed.count / 64 + 1)
        var places: [UInt8: [UInt64]] = [:]
        for (place, octet) in collapsed.enumerated() {
            places[octet, default: none][place / 64] |= 1 << UInt64(place % 64)
        }
        self.stars = places.removeValue(forKey: Self.star) ?? none
        let percents = places.removeValue(forKey: Self.percent) ?? none
        self.wildcards = zip(self.stars, percents).map { $0 | $1 }
        self.places = places
    }

    /// Whether the pattern contains `%`, except next to `*`.
    package var hasPercent: Bool { self.octets.contains(Self.percent) }

    /// The cost of matching one octet of a name: one for each 64 octets of the pattern.
    package var cost: Int { self.stars.count }

    /// Whether a name matches. The time is proportional to the name, for each 64 octets of the
    /// pattern.
    package func matches(_ name: [UInt8]) -> Bool {
        let end = self.octets.count
        return self.reachable(after: name)[end / 64] & 1 << UInt64(end % 64) != 0
    }

    /// Whether a name that starts with `prefix` can match.
    package func mayMatchBelow(_ prefix: [UInt8]) -> Bool {
        self.reachable(after: prefix).contains { $0 != 0 }
    }

    /// The octets before the first wildcard.
    package var fixedPrefix: [UInt8] {
        Array(self.octets.prefix { $0 != Self.star && $0 != Self.percent })
    }

    /// Whether every name below a name matches, because the pattern ends with `*` there.
    package func matchesAllBelow(_ name: [UInt8]) -> Bool {
        self.octets.last == Self.star && self.matches(name + [MailboxName.delimiter])
    }

    /// The positions of the pattern that are reached after consuming `name`, all at once as a bit
    /// mask (Shift-And, Baeza-Yates and Gonnet 1992).
    private func reachable(after name: [UInt8]) -> [UInt64] {
        var reached = [UInt64](repeating: 0, count: self.stars.count)
        reached[0] = 1 | (self.wildcards[0] & 1) << 1
        for octet in name {
            let wanted = self.places[octet]
            let staying = octet == MailboxName.delimiter ? self.stars : self.wildcards
            var carried: UInt64 = 0
            var passed: UInt64 = 0
            var isAnywhere = false
            for index in reached.indices {
                let before = reached[index]
                let taken = before & (wanted?[index] ?? 0)
                var after = taken << 1 | carried | before & staying[index]
                carried = taken >> 63
                // A wildcard may match nothing. No wildcard follows another.
                let waiting = after & self.wildcards[index]
                after |= waiting << 1 | passed
                passed = waiting >> 63
                reached[index] = after
                isAnywhere = isAnywhere || after != 0
            }
            guard isAnywhere else { return reached }
        }
        return reached
    }
}
