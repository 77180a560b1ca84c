import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A session's state of its connection to one account's server.
///
/// A reference type: each command reads it many times, and a read must not copy it. One session owns it.
final class Upstream {
    /// How the session treats the pieces of the response that is arriving.
    enum Disposition {
        /// Forward it to the client.
        case pass
        /// Discard it.
        case withhold
        /// Collect it, because the gateway reads it whole.
        case collect(ResponseCollector)
        /// Forward it with the FETCH item names that the client asked for.
        case rename(FetchItemRenamer)
        /// Read the message numbers that a search found.
        case numbers
        /// Stream the message in it to the server of another account.
        case transfer
    }

    /// The purpose of a command that the gateway sends on its own behalf.
    enum Housekeeping {
        /// ENABLE, UNSELECT or NOOP; the answer has no effect.
        case upkeep
        case notify
        /// LIST, to learn the folders that exist for a user who is not the owner.
        case folders
        /// STATUS of a mailbox that the client watches, or NOOP if the mailbox is selected.
        case poll
    }

    enum State: Equatable {
        /// The connection is being opened, or the login is in progress.
        case opening
        /// The gateway is logged in.
        case ready
    }

    var state = State.opening
    var profile: UpstreamProfile
    var names: UpstreamNames
    var tags: UpstreamTags
    /// ``tags`` at the last search for unused connections. Equal tags mean that no command was sent since.
    var tagsAtLastLook: UpstreamTags?
    var reader = ResponseReader()
    /// Whether the session yielded the event loop before it read all buffered responses.
    var isReadDeferred = false
    var disposition = Disposition.pass
    /// The first piece of the response that is arriving, if the response has several pieces.
    var firstPiece: ByteBuffer?
    /// Whether a part of the answer to the command in flight did not parse.
    var isAnswerIncomplete = false
    /// Unparsable lines that were logged since the last command was completed.
    var unreadableLines = 0
    /// The tag of the login's ID command, until the server has answered it.
    var identification: ByteBuffer?
    /// Whether the profile comes from an earlier connection.
    var usesKnownProfile = false
    /// Whether the server's LIST responses contradict the profile.
    var isContradicted = false
    /// The tag of the command in flight; one at a time.
    var inFlight: ByteBuffer?
    /// The purpose of the command in flight if it is the gateway's own.
    var housekeeping: Housekeeping?
    /// Remaining segments of the gateway's own command, each sent after a continuation request.
    var segments: [ByteBuffer] = []
    /// Capabilities enabled on this connection (RFC 5161).
    var enabled: Set<String> = []
    /// The NOTIFY groups in force at the server, with the server's mailbox names (RFC 5465).
    var watched: [NotifyGroup] = [] { didSet { self.watchVersion = nil } }
    /// Whether a NOTIFY command was sent; it then also decides what the server reports of the selected mailbox.
    var isNotifyGiven = false
    /// The version of the client's request from which ``watched`` was computed.
    var watchVersion: Int?
    /// The mailboxes that the gateway polls, if the server lacks NOTIFY.
    var polling: Polling?
    /// Whether the server ended the session because the access token has expired.
    var isTokenOver = false
    /// Whether the account's server or credential has changed since the connection was opened.
    var isOutdated = false
    /// Whether NOTIFY must be sent again, even if the groups are unchanged.
    var isNotifyDue = false

    /// The folders that exist here for a user who is not the owner, once the server has listed them.
    var folders: FolderList?
    /// Notifications about folders that the list lacks, until the list is read again.
    var waitingNotifications: [FolderNotification] = []
    /// Folders that the server mentioned but did not list afterwards.
    var unlisted = OctetStringSet()
    /// Counts how often the list was read again because a folder was missing.
    var refreshes = FolderList.Refreshes()
    /// The folder list that is arriving.
    var folderListing: FolderListing?
    /// The number of the session's command during which the server failed to list its folders.
    var failedFolderListing: UInt64?

    /// Whether the gateway is logged in and no command is in flight.
    var isIdle: Bool { self.state == .ready && self.inFlight == nil }

    /// Whether the client watches no mailboxes and the server has no NOTIFY groups in force.
    func isSynchronized(with watching: Watching?) -> Bool {
        watching == nil && self.watched.isEmpty
    }

    init(tags: UpstreamTags) {
        self.profile = UpstreamProfile(capabilities: [], delimiter: nil)
        self.names = UpstreamNames(self.profile)
        self.tags = tags
    }
}
