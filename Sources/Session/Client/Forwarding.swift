import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A command that one server carries out.
///
/// A reference, because each response looks at it and a look must copy nothing; it belongs to one
/// session.
final class Forwarding {
    /// Untagged responses that belong to the command.
    struct Expected: OptionSet {
        let rawValue: UInt8

        static let search = Expected(rawValue: 1)
        static let sort = Expected(rawValue: 2)
        static let thread = Expected(rawValue: 4)
        static let status = Expected(rawValue: 8)
        static let quota = Expected(rawValue: 16)
    }

    /// How the answer of the server becomes the client's.
    enum Completion {
        case plain
        /// COPYUID passes only to who may read the target (RFC 4315 §3); TRYCREATE only to who may
        /// create it.
        case copied(to: FolderPath)
        /// The account has other folders than before.
        case foldersChanged
    }

    var tag: ByteBuffer
    var account: AccountID
    var name: StaticText
    /// Segments of the command still to be sent, each after a `+`.
    var segments: [ByteBuffer]
    /// Whole commands still to be sent, each after the one before succeeded.
    var followUps: [(tag: ByteBuffer, segments: [ByteBuffer])] = []
    /// What they change needs these.
    var followUpRights: Rights = []
    var expected: Expected = []
    var completion = Completion.plain
    /// The mailbox as the client spelled it, for responses that repeat it.
    var mailbox: ByteBuffer?
    /// The same mailbox in its account.
    var folder: FolderPath?
    /// What a STATUS asks for, where the gateway adds that there are no mod-sequences.
    var statusItems: [StatusItem]?
    /// The numbers that a search finds, where the gateway writes the ESEARCH response.
    var results: SearchResults?
    /// The server's tag of a search whose changes it tells.
    var updatingTag: ByteBuffer?
    /// The client's command, where it changes nothing and may be given to the server once more.
    var repeatable: Command?
    /// Whether a FETCH asks for the text of messages; nil for another command.
    var fetchesText: Bool?
    /// Whether the server has CONDSTORE enabled once it has carried out the command.
    var enablesModSeqs = false
    /// Whether RFC822 items were asked as BODY.PEEK items.
    var renamesItems = false

    init(tag: ByteBuffer, account: AccountID, name: StaticText, segments: [ByteBuffer]) {
        self.tag = tag
        self.account = account
        self.name = name
        self.segments = segments
    }
}
