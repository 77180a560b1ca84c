import Access
import IMAP

import struct NIOCore.ByteBuffer

/// One account's part of a LIST that runs.
///
/// A reference, so that it grows in place, whoever looks at it; it belongs to one listing.
final class ListingPart {
    enum Step: Equatable {
        /// It is being looked up what is known already.
        case lookingUp
        case waitingForUpstream
        case folders
        case subscriptions
        case counts
        case complete
        case failed

        /// Whether the server tells names.
        var isTelling: Bool { self == .folders || self == .subscriptions }
    }

    let view: Namespace.View
    /// Whether no pattern reaches into the account, and only what is subscribed in it counts.
    let isBelowPatterns: Bool
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

    init(view: Namespace.View, isBelowPatterns: Bool = false) {
        self.view = view
        self.isBelowPatterns = isBelowPatterns
    }

    var account: AccountID { self.view.account }

    var isDone: Bool { self.step == .complete || self.step == .failed }

    /// Takes folders that are known, in place of the server's answer.
    func take(_ known: KnownFolders) {
        self.folders = known.folders
        self.aliases = known.aliases
        self.listing = nil
        self.subscriptions = known.subscriptions ?? ServerSubscriptions()
        self.counts = ShardedDictionary()
        self.segments = []
        self.step = .complete
    }
}
