import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A LIST or LSUB on its way.
///
/// Each server is asked for all its folders with a fixed pattern; what the user may not look up is
/// left out, and only then the client's pattern is matched, attributes are worked out anew from
/// what is left, and the lines are written. So no pattern, reference or option can reach a folder
/// that a grant does not (RFC 9051 §11.5).
package struct Listing {
    /// Octets of one server's responses, of STATUS the names: a hundred thousand folders. They are
    /// held until every server has answered.
    package static let maximumOctets = 8 * 1_024 * 1_024
    /// Octets of the responses of all servers, with what a folder costs besides: a user with hundreds of
    /// accounts in sight would otherwise hold the first limit for each of them.
    static let maximumTotalOctets = 32 * 1_024 * 1_024
    /// What a folder or its counts cost besides the octets of the response.
    static let octetsOfFolder = 100
    /// STATUS commands that one LIST causes, as each opens a mailbox at its server; the folders beyond
    /// are listed without counts (RFC 5819 §2).
    static let maximumCounts = 10_000

    /// One account's part.
    struct Part {
        enum Step: Equatable {
            /// It is being looked up what is known already.
            case lookingUp
            case waitingForUpstream
            case folders
            case subscriptions
            case counts
            case complete
            case failed
        }

        var view: Namespace.View
        /// Whether no pattern reaches into the account, and only what is subscribed in it counts.
        var isBelowPatterns = false
        var step = Step.lookingUp
        /// What was known before.
        var known = FolderKnowledge()
        /// Whether the user is the owner.
        var isOwner = false
        /// Whether the folders are those that were known last, and may be others by now.
        var isOutdated = false
        var folders = ListedFolders()
        /// Later names of mailboxes that the server listed before under another name.
        var aliases = OctetStringSet()
        /// What of them exists for a user who is not the owner, while it arrives, and then.
        var listing: FolderListing?
        /// What the server says is subscribed. Of the owner's a name counts whose folder is gone.
        var subscriptions = ServerSubscriptions()
        /// Of the responses so far.
        var octets = 0
        /// The same when a server was looked for last that does not go on.
        var octetsAtLastLook = 0
        /// How many of the folders, from the first, may still have to be asked for their counts.
        var uncounted = 0
        /// STATUS commands that were sent.
        var asked = 0
        /// The one that is being asked.
        var counting: FolderPath?
        /// Segments of a command still to be sent, each after a `+`.
        var segments: [ByteBuffer] = []
        var counts = ShardedDictionary<FolderPath, StatusResponse>()
    }

    var tag: ByteBuffer
    var list: List
    var isLsub = false
    /// One for each account that a pattern may reach, in the order in which they are shown.
    var parts: [Part]
    /// The patterns, each with the reference before it, decoded.
    var patterns: [MailboxPattern]
    /// What the user decided about subscriptions, once it is read from the store.
    var choices: SubscriptionChoices?
    /// Of the responses of all servers so far, with what folders cost besides.
    var octets = 0
    /// What is being written, once every server has answered.
    var answer: ListAnswer?

    var isComplete: Bool {
        (self.choices != nil || !self.needsSubscriptions)
            && self.parts.allSatisfy { $0.step == .complete || $0.step == .failed }
    }

    /// What matching a name of one octet against all patterns costs.
    var patternCost: Int { self.patterns.reduce(0) { $0 + $1.cost } }

    var needsSubscriptions: Bool { self.isLsub || self.list.needsSubscriptions }

    /// Whether a name is shown because a subscribed one is below it: LSUB does that for `%` (RFC 3501 §6.3.9),
    /// and LIST with RECURSIVEMATCH (RFC 5258 §3.5).
    var reportsSubscribedBelow: Bool {
        self.isLsub ? self.patterns.contains(where: \.hasPercent) : self.list.isRecursiveMatch
    }

    /// Whether the counts of a folder were asked for, and are no news.
    func counts(_ folder: FolderPath, of account: AccountID) -> Bool {
        self.parts.contains { $0.view.account == account && $0.counting == folder }
    }

    /// Whether an account's server is telling its folders and the identifiers of their mailboxes.
    func identifies(_ account: AccountID) -> Bool {
        self.parts.contains { $0.view.account == account && $0.step == .folders }
    }

    func expectsContinuation(from account: AccountID) -> Bool {
        self.parts.contains { $0.view.account == account && !$0.segments.isEmpty }
    }
}

extension List {
    /// Whether the answer depends on what is subscribed.
    var needsSubscriptions: Bool {
        self.selectsSubscribed || self.returnsSubscribed
    }
}
