import IMAP

/// What a LIST or LSUB asks for.
struct ListRequest {
    let list: List
    let isLsub: Bool
    /// The patterns, each with the reference before it, decoded.
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

    /// What matching a name of one octet against all patterns costs.
    var patternCost: Int { self.patterns.reduce(0) { $0 + $1.cost } }

    /// Whether the answer depends on what is subscribed.
    var needsSubscriptions: Bool {
        self.isLsub || self.list.selectsSubscribed || self.list.returnsSubscribed
    }

    /// Whether a name is shown because a subscribed one is below it: LSUB does that for `%` (RFC 3501 §6.3.9),
    /// and LIST with RECURSIVEMATCH (RFC 5258 §3.5).
    var reportsSubscribedBelow: Bool {
        self.isLsub ? self.patterns.contains(where: \.hasPercent) : self.list.isRecursiveMatch
    }

    /// Whether a pattern could match a folder of an account: only then is its server asked.
    func mayMatch(in view: Namespace.View) -> Bool {
        self.patterns.contains { pattern in
            guard view.isPersonal else { return pattern.mayMatchBelow(view.prefix) }
            let fixed = pattern.fixedPrefix
            return !fixed.contains(Namespace.delimiter) || !Namespace.isReserved(fixed)
        }
    }
}

/// What a list of folders may take.
package enum ListLimits {
    /// Octets of one server's responses, of STATUS the names: a hundred thousand folders. They are
    /// held until every server has answered.
    package static let octetsOfServer = 8 * 1_024 * 1_024
    /// Octets of the responses of all servers, with what a folder costs besides: a user with hundreds of
    /// accounts in sight would otherwise hold the first limit for each of them.
    static let octets = 32 * 1_024 * 1_024
    /// What a folder or its counts cost besides the octets of the response.
    static let octetsOfFolder = 100
    /// STATUS commands that one LIST causes, as each opens a mailbox at its server; the folders beyond
    /// are listed without counts (RFC 5819 §2).
    static let counts = 10_000
}
