/// A LIST pattern: octets of a name in which `*` stands for any octets and `%` for any but `/`
/// (RFC 9051 §6.3.9).
package struct MailboxPattern: Equatable, Sendable {
    private static let star = UInt8(ascii: "*")
    private static let percent = UInt8(ascii: "%")
    /// Patterns are matched against every name in sight.
    package static let maximumOctets = 1_024

    private let octets: [UInt8]
    /// The places of each octet in the pattern, of `*`, and of any wildcard; a bit a place, its end
    /// included.
    private let places: [UInt8: [UInt64]]
    private let stars: [UInt64]
    private let wildcards: [UInt64]

    /// - Parameter octets: decoded, wildcards included; INBOX in any case at the start.
    package init(_ octets: [UInt8]) {
        // Runs of wildcards cost time and say no more than one.
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

    /// Whether it has a `%` that does not stand beside a `*`.
    package var hasPercent: Bool { self.octets.contains(Self.percent) }

    /// What matching a name of one octet costs: each 64 octets of the pattern count once.
    package var cost: Int { self.stars.count }

    /// Whether a name matches. Takes time in proportion to the name, for each 64 octets of the pattern.
    package func matches(_ name: [UInt8]) -> Bool {
        let end = self.octets.count
        return self.reachable(after: name)[end / 64] & 1 << UInt64(end % 64) != 0
    }

    /// Whether a name that begins with `prefix` could match.
    package func mayMatchBelow(_ prefix: [UInt8]) -> Bool {
        self.reachable(after: prefix).contains { $0 != 0 }
    }

    /// The octets before the first wildcard.
    package var fixedPrefix: [UInt8] {
        Array(self.octets.prefix { $0 != Self.star && $0 != Self.percent })
    }

    /// Whether everything below a name matches: the pattern ends in `*` there.
    package func matchesAllBelow(_ name: [UInt8]) -> Bool {
        self.octets.last == Self.star && self.matches(name + [MailboxName.delimiter])
    }

    /// Which places in the pattern can be reached by consuming all of `name`: all of them at once, a bit
    /// each (Shift-And, Baeza-Yates and Gonnet 1992).
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
                // A wildcard may stand for nothing; none follows another.
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
