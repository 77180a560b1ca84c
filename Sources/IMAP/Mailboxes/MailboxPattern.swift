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
        self.reachable(after: name).last ?? false
    }

    /// Whether a name that begins with `prefix` could match.
    package func mayMatchBelow(_ prefix: [UInt8]) -> Bool {
        self.reachable(after: prefix).contains(true)
    }

    /// The octets before the first wildcard.
    package var fixedPrefix: [UInt8] {
        Array(self.octets.prefix { $0 != Self.star && $0 != Self.percent })
    }

    /// Whether everything below a name matches: the pattern ends in `*` there.
    package func matchesAllBelow(_ name: [UInt8]) -> Bool {
        self.octets.last == Self.star && self.matches(name + [MailboxName.delimiter])
    }

    /// Which places in the pattern, its end included, can be reached by consuming all of `name`.
    ///
    /// One flag a place, because a pattern of many wildcards reaches many places at once.
    private func reachable(after name: [UInt8]) -> [Bool] {
        var places = [Bool](repeating: false, count: self.octets.count + 1)
        var next = places
        places[0] = true
        self.passWildcards(&places)
        for octet in name {
            for place in next.indices { next[place] = false }
            var isAnywhere = false
            for (place, wanted) in self.octets.enumerated() where places[place] {
                switch wanted {
                case Self.star:
                    next[place] = true
                case Self.percent where octet != MailboxName.delimiter:
                    next[place] = true
                case octet:
                    next[place + 1] = true
                default:
                    continue
                }
                isAnywhere = true
            }
            swap(&places, &next)
            guard isAnywhere else { return places }
            self.passWildcards(&places)
        }
        return places
    }

    /// A wildcard may stand for nothing.
    private func passWildcards(_ places: inout [Bool]) {
        for (place, wanted) in self.octets.enumerated()
        where places[place] && (wanted == Self.star || wanted == Self.percent) {
            places[place + 1] = true
        }
    }
}
