/// A LIST pattern: octets of a name in which `*` stands for any octets and `%` for any but `/`
/// (RFC 9051 §6.3.9).
package struct MailboxPattern: Equatable, Sendable {
    private static let star = UInt8(ascii: "*")
    private static let percent = UInt8(ascii: "%")
    /// Patterns are matched against every name in sight.
    package static let maximumOctets = 1_024
    /// In all patterns of a LIST: each may be under way at each octet of a name.
    package static let maximumWildcards = 64

    private let octets: [UInt8]

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
    }

    package var wildcards: Int { self.octets.count { $0 == Self.star || $0 == Self.percent } }

    /// Whether a name matches. Takes time in proportion to `%` times name at worst.
    package func matches(_ name: [UInt8]) -> Bool {
        self.reachable(after: name).last == self.octets.count
    }

    /// Whether a name that begins with `prefix` could match.
    package func mayMatchBelow(_ prefix: [UInt8]) -> Bool {
        !self.reachable(after: prefix).isEmpty
    }

    /// The octets before the first wildcard.
    package var fixedPrefix: [UInt8] {
        Array(self.octets.prefix { $0 != Self.star && $0 != Self.percent })
    }

    /// Whether everything below a name matches: the pattern ends in `*` there.
    package func matchesAllBelow(_ name: [UInt8]) -> Bool {
        self.octets.last == Self.star && self.matches(name + [MailboxName.delimiter])
    }

    /// Which places in the pattern, its end included, can be reached by consuming all of `name`; in
    /// ascending order.
    private func reachable(after name: [UInt8]) -> [Int] {
        var places: [Int] = []
        var next: [Int] = []
        self.add(0, to: &places)
        for octet in name {
            next.removeAll(keepingCapacity: true)
            for place in places where place < self.octets.count {
                switch self.octets[place] {
                case Self.star: self.add(place, to: &next)
                case Self.percent where octet != MailboxName.delimiter: self.add(place, to: &next)
                case octet: self.add(place + 1, to: &next)
                default: continue
                }
            }
            swap(&places, &next)
            if places.isEmpty { return [] }
        }
        return places
    }

    /// Adds a place, and the one behind a wildcard, which may stand for nothing. Each place comes after
    /// those below it, so that what is not above the last is there. Those below a `*` lead nowhere but
    /// through it, which stays.
    private func add(_ place: Int, to places: inout [Int]) {
        guard places.last.map({ place > $0 }) ?? true else { return }
        let octet = place < self.octets.count ? self.octets[place] : nil
        if octet == Self.star { places.removeAll(keepingCapacity: true) }
        places.append(place)
        if octet == Self.star || octet == Self.percent { places.append(place + 1) }
    }
}
