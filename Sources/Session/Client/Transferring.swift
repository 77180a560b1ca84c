import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A COPY or MOVE on its way from the selected mailbox to another account's server, or a MOVE inside an
/// account whose server has no MOVE.
///
/// Messages pass one after the other, each as soon as the target asks for its octets, and none is
/// collected. The journal holds what is going on, so that whatever dies, nothing is lost and
/// nothing stays twice.
///
/// A reference, because each response looks at it and a look must copy nothing; it belongs to one
/// session.
final class Transferring {
    enum Step {
        /// The target's mailbox is being selected: what it can hold is told then.
        case selectingTarget
        /// The target did not tell UIDNEXT when it selected its mailbox, or is the source, where another
        /// mailbox is selected: STATUS tells it.
        case askingUIDNext
        /// The target refused to select it without a word that is read: whether it is there is asked.
        case lookingForTarget(ReplyText)
        /// The source is asked to push no items of messages.
        case silencing
        /// The source tells the messages' UIDs, flags and dates.
        case listing
        /// The journal takes the transfer.
        case recording
        /// The next message is asked for.
        case fetching
        /// The message is announced to the target, which has to ask for its octets; the source
        /// is not read.
        case announcing
        /// Octets of the message pass.
        case streaming
        /// The message has passed; the source completes its answer.
        case fetched
        /// The journal takes what was sent, before the target gets the end of it.
        case recordingAppend
        /// The target completes its answer.
        case confirming
        /// The journal takes that all messages are at the target.
        case recordingCopied
        /// `\Deleted` is being set on the originals.
        case marking
        /// The originals could not all be marked: the marks are being taken off again.
        case unmarking(ReplyText)
        /// The originals are being expunged.
        case expunging
        /// The journal forgets the transfer.
        case forgetting(ReplyText)
        /// It failed; what the source still sends of a message is read away.
        case draining(ReplyText)
        /// It failed; what the target got is taken back.
        case resolving(ReplyText)
    }

    struct Message {
        var uid: UInt32
        var flags: [Flag]
        var date: ByteBuffer?
    }

    /// Between accounts, so many messages move by one command: COPYUID has to name them, and the
    /// session holds what is known of each.
    static let maximumMessages = 10_000
    /// Flags of a message that pass, and octets of a keyword: no server keeps more.
    static let maximumFlags = 64
    static let maximumFlagOctets = 256
    /// Octets of all keywords of all messages.
    static let maximumKeywordOctets = 4 * 1_024 * 1_024
    /// `17-Jul-1996 02:44:25 -0700`
    static let maximumDateOctets = 26

    let tag: ByteBuffer
    let moves: Bool
    let copy: Copy
    let source: AccountID
    let sourceFolder: FolderPath
    let sourceValidity: UInt32
    let target: AccountID
    let targetFolder: FolderPath
    let targetName: ByteBuffer
    /// In the target, by the snapshot in force.
    var rights: Rights
    let mayCreate: Bool

    var step = Step.selectingTarget
    /// Segments of the command in flight, each sent after a `+`.
    var segments: [ByteBuffer] = []
    /// Whose server they are for.
    var segmentsAccount: AccountID

    // MARK: What the target said of its mailbox

    var uidValidity: UInt32?
    var uidNext: UInt32?
    /// Flags it keeps; nil where it did not say.
    var permanentFlags: Set<String>?

    /// Whether LIST told of it.
    var isTargetListed = false

    // MARK: The messages

    var messages: [Message] = []
    var known: Set<UInt32> = []
    /// Numbers of messages that are meant and of which the source told a part only, and of those of
    /// which it told all.
    var partlyListed: Set<UInt32> = []
    var listed: Set<UInt32> = []
    var flagOctets = 0
    /// Those that were marked as deleted before.
    var wasDeleted: Set<UInt32> = []
    var index = 0
    /// A message that the source sent as a quoted string, until the target asks for it.
    var quoted: ByteBuffer?
    /// Messages of the present APPEND whose octets the target has got.
    var sending: [Transfer.Message] = []
    /// Of the message that passes.
    var hasher = MessageHasher()
    /// The last APPEND that the journal has been given, and what it came to.
    var last = AppendOutcome(number: 0, answer: .refused)
    /// What ``last`` was before, until the journal has answered.
    var previous = AppendOutcome(number: 0, answer: .refused)
    /// Those whose command the target has confirmed, and what they are there.
    var confirmed: [UInt32] = []
    var copies: [UInt32]? = []
    /// UIDs that APPENDUID has named.
    var named: Set<UInt32> = []
    /// Whether a command at the target is complete except for its last line end.
    var isAppendOpen = false
    /// Whether the target could have stored something that it has not confirmed.
    var isInDoubt = false
    /// Whether COPYUID names messages that were not to be copied: nobody knows which were.
    var isCopyDoubtful = false

    // MARK: The journal

    /// The entry's number.
    var entry: Int64?
    var isCopied = false
    var hasLeftTarget = false
    /// Why a server went while the journal was written.
    var lostAnswer: ReplyText?
    var hasToldCopies = false
    /// Originals still to be marked or expunged, a command each.
    var batches: [SequenceSet] = []

    init(
        tag: ByteBuffer,
        moves: Bool,
        copy: Copy,
        from selected: ClientSession.Selected,
        to target: AccountID,
        _ folder: FolderPath,
        name: ByteBuffer,
        rights: Rights,
        mayCreate: Bool
    ) {
        self.tag = tag
        self.moves = moves
        self.copy = copy
        self.source = selected.account
        self.sourceFolder = selected.folder
        self.sourceValidity = selected.uidValidity ?? 0
        self.target = target
        self.targetFolder = folder
        self.targetName = name
        self.rights = rights
        self.mayCreate = mayCreate
        self.segmentsAccount = target
    }

    /// Whether it stays inside one account: its server copies the messages itself.
    var isLocal: Bool { self.source == self.target }

    var hasTooManyKeywords: Bool { self.flagOctets > Self.maximumKeywordOctets }

    /// Whether the source's next octets have to wait for the target.
    var isSourcePaused: Bool {
        if case .announcing = self.step { return true }
        return false
    }

    /// Whether what the server answers next belongs to the target's part.
    var isTargetAsked: Bool {
        switch self.step {
        case .selectingTarget, .askingUIDNext, .lookingForTarget, .confirming: true
        default: false
        }
    }

    func involves(_ account: AccountID) -> Bool {
        account == self.source || account == self.target
    }

    /// What the journal cannot know of it.
    var standing: TransferStanding { self.isCopied ? .copied : .begun(self.last) }

    /// UIDs at the source of what the present APPEND holds.
    var sent: [UInt32] { self.sending.map(\.source) }

    /// Whether something may have to be taken back, or brought to its end.
    var needsResolution: Bool { self.isInDoubt || self.isCopied || !self.confirmed.isEmpty }

    var record: Transfer? {
        guard let uidValidity = self.uidValidity, let uidNext = self.uidNext else { return nil }
        return Transfer(
            moves: self.moves,
            source: Transfer.Place(
                account: self.source,
                folder: self.sourceFolder,
                uidValidity: self.sourceValidity
            ),
            uids: self.messages.map(\.uid),
            target: Transfer.Place(
                account: self.target,
                folder: self.targetFolder,
                uidValidity: uidValidity
            ),
            uidNext: uidNext
        )
    }
}
