import IMAP

/// A client's LIST or LSUB (RFC 9051 §6.3.9, RFC 5258, RFC 3501 §6.3.9).
struct ListRequest {
    /// The LIST command. LSUB is represented as LIST with the SUBSCRIBED selection option.
    let list: List
    let isLsub: Bool
    /// The decoded patterns, each joined with the reference.
    let patterns: [MailboxPattern]

    init(_ list: List) {
        self.list = list
        self.isLsub = false
        self.patterns = list.joinedPatterns
    }

    init(_ lsub: Lsub) {
        var list = List(reference: lsub.reference, patterns: [lsub.pattern])
        list.selectsSubscribed = true
        self.list = list
        self.isLsub = true
        self.patterns = list.joinedPatterns
    }

    /// The cost of matching one octet of a name against all patterns.
    var patternCost: Int { self.patterns.reduce(0) { $0 + $1.cost } }

    /// Whether the answer depends on subscriptions.
    var needsSubscriptions: Bool {
        self.isLsub || self.list.selectsSubscribed || self.list.returnsSubscribed
    }

    /// Whether a name is listed because a name below it is subscribed. This applies to LSUB with `%`
    /// (RFC 3501 §6.3.9) and to LIST with RECURSIVEMATCH (RFC 5258 §3.5).
    var reportsSubscribedBelow: Bool {
        self.isLsub ? self.patterns.contains(where: \.hasPercent) : self.list.isRecursiveMatch
    }

    /// Whether a pattern could match a folder of an account. If not, its server is not asked.
    func mayMatch(in view: Namespace.View) -> Bool {
        self.patterns.contains { pattern in
            guard view.isPersonal else { return pattern.mayMatchBelow(view.prefix) }
            let fixed = pattern.fixedPrefix
            return !fixed.contains(Namespace.delimiter) || !Namespace.isReserved(fixed)
        }
    }
}

/// Limits of one LIST or LSUB.
package enum ListLimits {
    /// Octets of one server's responses; of STATUS, only the names count. Enough for a hundred thousand folders. The
    /// gateway holds them in memory until every server has answered.
    package static let octetsOfServer = 8 * 1_024 * 1_024
    /// Octets of the responses of all servers, including ``octetsOfFolder``. Without it, a user with hundreds of
    /// accounts could make the gateway hold ``octetsOfServer`` for each of them.
    static let octets = 32 * 1_024 * 1_024
    /// The memory cost of a folder or its counts, in addition to the octets of the response.
    static let octetsOfFolder = 100
    /// STATUS commands that one LIST may cause. Each of them opens a mailbox at its server. Further folders are listed
    /// without counts (RFC 5819 §2).
    static let counts = 10_000
}
