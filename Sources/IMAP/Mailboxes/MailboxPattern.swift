/// A LIST pattern: octets of a name in which `*` stands for any octets and `%` for any but `/`
/// (RFC 9051 §6.3.9).
package struct MailboxPattern: Equatable, Sendable {
    private static let star = UInt8(ascii: "*")
    private static let percent = UInt8(ascii: "%")
    /// Patterns are matched against every name in sight.
    package static let maximumOctets = 1_024

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

    /// Whether a name matches. Takes time in proportion to pattern times name at worst.
    package func matches(_ name: [UInt8]) -> Bool {
        self.reachable(after: name).contains(self.octets.count)
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

    /// The places in the pattern that can be reached by consuming all of `name`.
    private func reachable(after name: [UInt8]) -> Set<Int> {
        var places = self.closure([0])
        for octet in name {
            var next: Set<Int> = []
            for place in places where place < self.octets.count {
                switch self.octets[place] {
                case Self.star:
                    next.insert(place)
                case Self.percent:
                    if octet != MailboxName.delimiter { next.insert(place) }
                case octet:
                    next.insert(place + 1)
                default:
                    break
                }
            }
            places = self.closure(next)
            if places.isEmpty { return [] }
        }
        return places
    }

    /// A wildcard may stand for nothing.
    private func closure(_ places: Set<Int>) -> Set<Int> {
        var closed = places
        for place in places {
            var place = place
            while place < self.octets.count,
                self.octets[place] == Self.star || self.octets[place] == Self.percent
            {
                place += 1
                closed.insert(place)
            }
        }
        return closed
    }
}
