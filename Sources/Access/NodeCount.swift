/// A count of one gateway that the other gateways of the store add to theirs.
package struct NodeCount: Equatable, Sendable {
    /// What is counted. If too much changes at once, the kinds that come first are written first.
    package enum Kind: String, CaseIterable, Sendable {
        /// Messages of a user in a part of an hour; the name is the user's number.
        case messages
        /// Recipients of a user in a part of an hour.
        case recipients
        /// Connections of a user after the login.
        case user
        /// Failed logins of a login name or of a network.
        case failures
        /// Connections of an IPv4 address.
        case address
        /// Connections of a network before the login.
        case network
    }

    /// Whom a count is for.
    package struct Key: Hashable, Sendable {
        /// What is counted.
        package var kind: Kind
        /// A user's number, an address, a network, or the mark of a login name: at most some tens
        /// of octets.
        package var name: String

        /// Creates a key.
        package init(_ kind: Kind, name: String) {
            self.kind = kind
            self.name = name
        }
    }

    /// One number of a gateway.
    package struct Row: Hashable, Sendable {
        /// Whom it is for.
        package var key: Key
        /// The part of the time that is counted, by the clock of the gateway; 0 for a count
        /// without parts.
        package var part: Int64

        /// Creates a row.
        package init(_ kind: Kind, name: String, part: Int64 = 0) {
            self.key = Key(kind, name: name)
            self.part = part
        }
    }

    /// What the number is.
    package var row: Row
    /// The number; 0 if it is over.
    package var count: Int
    /// Milliseconds until the count ends; nil for connections, which end with their gateway.
    package var remaining: Int64?

    /// Creates a count.
    package init(_ row: Row, count: Int, remaining: Int64?) {
        self.row = row
        self.count = count
        self.remaining = remaining
    }
}

/// What a gateway learns of the counts of the others.
package struct NodeReport: Sendable {
    /// Whether this is everything: what was known before is out of date.
    package var isWhole: Bool
    /// The counts that changed, each with the random number of its gateway's process.
    package var counts: [(instance: Int64, count: NodeCount)] = []
    /// The gateways that are over: their connections are, too.
    package var ended: Set<Int64> = []

    /// Creates a report without counts.
    package init(isWhole: Bool) {
        self.isWhole = isWhole
    }
}
