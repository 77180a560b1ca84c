import Access
import IMAP

import struct NIOCore.ByteBuffer

/// One account's part of a running LIST or LSUB.
///
/// A reference type, so that it grows in place. One listing owns it.
final class ListingPart {
    enum Step: Equatable {
        /// The cached folders are being looked up.
        case lookingUp
        /// The server is not ready yet.
        case waitingForUpstream
        /// LIST is in flight.
        case folders
        /// LSUB is in flight.
        case subscriptions
        /// STATUS of one folder after another is in flight.
        case counts
        /// All that the answer needs has arrived.
        case complete
        /// The folders are unknown.
        case failed

        /// Whether the server is sending names.
        var isTelling: Bool { self == .folders || self == .subscriptions }
    }

    let view: Namespace.View
    /// Whether no pattern reaches into the account, so that only its subscriptions count.
    let isBelowPatterns: Bool
    var step = Step.lookingUp
    /// The cached folders of the account.
    var known = FolderKnowledge()
    /// Whether the user is the owner.
    var isOwner = false
    /// Whether ``folders`` come from the cache and may be outdated.
    var isOutdated = false
    var folders = ListedFolders()
    /// Further names of mailboxes that the server listed under another name before (equal MAILBOXID).
    var aliases = OctetStringSet()
    /// The folders that exist for a user who is not the owner, while LIST is in flight.
    var listing: FolderListing?
    /// The subscriptions at the server. An owner also sees subscribed names whose folder is gone.
    var subscriptions = ServerSubscriptions()
    /// Octets of the responses so far.
    var octets = 0
    /// ``octets`` at the last check for a stalled server.
    var octetsAtLastLook = 0
    /// The number of folders, from the first, that STATUS has not covered yet.
    var uncounted = 0
    /// The number of STATUS commands sent.
    var asked = 0
    /// The folder whose STATUS is in flight.
    var counting: FolderPath?
    /// Remaining segments of a command, each sent after a continuation request.
    var segments: [ByteBuffer] = []
    /// The STATUS responses by folder.
    var counts = ShardedDictionary<FolderPath, StatusResponse>()

    init(view: Namespace.View, isBelowPatterns: Bool = false) {
        self.view = view
        self.isBelowPatterns = isBelowPatterns
    }

    var account: AccountID { self.view.account }

    var isDone: Bool { self.step == .complete || self.step == .failed }

    /// Whether a command of the part is in flight.
    var isAsking: Bool { self.step.isTelling || self.step == .counts && self.counting != nil }

    /// Completes the part with cached folders instead of the server's answer.
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
