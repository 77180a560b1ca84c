import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What a session knows of its connection to one account's server.
///
/// A reference, because each command looks at it many times and a look must copy nothing; it
/// belongs to one session.
final class Upstream {
    /// What becomes of the pieces of the response that is arriving.
    enum Disposition {
        case pass
        case withhold
        case collect(ResponseCollector)
        case rename(FetchItemRenamer)
        /// It holds the numbers of messages that a search found.
        case numbers
        /// It holds a message on its way to another server.
        case transfer
    }

    /// A command that no client gave.
    enum Housekeeping {
        /// ENABLE, UNSELECT, NOOP: what is answered changes nothing.
        case upkeep
        case notify
        /// LIST, which tells the folders that exist for a user who is not the owner.
        case folders
        /// STATUS of a mailbox that the client watches, or NOOP where it is selected.
        case poll
    }

    enum State: Equatable {
        case opening
        case ready
    }

    var state = State.opening
    var profile: UpstreamProfile
    var names: UpstreamNames
    var tags: UpstreamTags
    /// What they were when the session last looked for connections that nothing uses.
    var tagsAtLastLook: UpstreamTags?
    var reader = ResponseReader()
    /// Whether the loop was yielded before everything was dealt with that has come.
    var isReadDeferred = false
    var disposition = Disposition.pass
    /// Of the response that is arriving, if it has more pieces than one.
    var firstPiece: ByteBuffer?
    /// Whether something that the command in flight asked for could not be read.
    var isAnswerIncomplete = false
    /// Lines that could not be read, and were logged, since the last command was answered.
    var unreadableLines = 0
    /// The tag of the ID command that the login sent last, until it is answered.
    var identification: ByteBuffer?
    /// Whether the profile is what an earlier connection learnt.
    var usesKnownProfile = false
    /// Whether what the server lists contradicts the profile.
    var isContradicted = false
    /// The tag of the command in flight; one at a time.
    var inFlight: ByteBuffer?
    /// The gateway's own command in flight, if it is one.
    var housekeeping: Housekeeping?
    /// Segments of the gateway's own command still to be sent, each after a `+`.
    var segments: [ByteBuffer] = []
    /// Capabilities that were enabled on this connection.
    var enabled: Set<String> = []
    /// What the server was asked to tell by itself, in its own names.
    var watched: [NotifyGroup] = [] { didSet { self.watchVersion = nil } }
    /// Whether the server was given a NOTIFY, and tells of the selected mailbox what that asks for.
    var isNotifyGiven = false
    /// The version of the client's request that ``watched`` was made from.
    var watchVersion: Int?
    /// What is watched, where the server has no NOTIFY.
    var polling: Polling?
    /// Whether the server said that it ends the session because the token has ended.
    var isTokenOver = false
    /// Whether the account has another server, or another credential, by now.
    var isOutdated = false
    /// Whether the server has to be asked again, although it was asked the same before.
    var isNotifyDue = false

    /// The folders that exist here for a user who is not the owner, once the server has listed them.
    var folders: FolderList?
    /// What the server told of folders that the list lacks, until it is read again.
    var waitingNews: [FolderNews] = []
    /// Folders of which the server told, and that it did not list then.
    var unlisted = OctetStringSet()
    /// Lists that were read again because a folder was missing.
    var refreshes = FolderList.Refreshes()
    /// The list that is arriving.
    var folderListing: FolderListing?
    /// The session's command during which the server failed to list its folders.
    var failedFolderListing: UInt64?

    /// Whether the server is there and waits for a command.
    var isIdle: Bool { self.state == .ready && self.inFlight == nil }

    /// Whether nothing is watched, and the server knows it.
    func isInStep(_ watching: Watching?) -> Bool { watching == nil && self.watched.isEmpty }

    init(tags: UpstreamTags) {
        self.profile = UpstreamProfile(capabilities: [], delimiter: nil)
        self.names = UpstreamNames(self.profile)
        self.tags = tags
    }
}
