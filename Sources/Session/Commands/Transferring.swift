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
final class Transferring: RunningCommand {
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

    let plan: TransferPlan
    /// In the target, by the snapshot in force.
    var rights: Rights

    var step = Step.selectingTarget
    /// Segments of the command in flight, each sent after a `+`.
    var segments: [ByteBuffer] = []
    /// Whose server they are for.
    var segmentsAccount: AccountID

    var listing = TransferListing()
    var progress = TransferProgress()
    var journal = TransferJournal()
    var hasLeftTarget = false
    var hasToldCopies = false

    // MARK: What the target said of its mailbox

    var uidValidity: UInt32?
    var uidNext: UInt32?
    /// Flags it keeps; nil where it did not say.
    var permanentFlags: Set<String>?

    /// Whether LIST told of it.
    var isTargetListed = false

    init(_ plan: TransferPlan, rights: Rights) {
        self.plan = plan
        self.rights = rights
        self.segmentsAccount = plan.target
    }

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

    /// Whether something may have to be taken back, or brought to its end.
    var needsResolution: Bool {
        self.progress.isInDoubt || self.journal.isCopied || !self.progress.confirmed.isEmpty
    }

    var record: Transfer? {
        guard let uidValidity = self.uidValidity, let uidNext = self.uidNext else { return nil }
        return Transfer(
            moves: self.plan.moves,
            source: Transfer.Place(
                account: self.plan.source,
                folder: self.plan.sourceFolder,
                uidValidity: self.plan.sourceValidity
            ),
            uids: self.listing.messages.map(\.uid),
            target: Transfer.Place(
                account: self.plan.target,
                folder: self.plan.targetFolder,
                uidValidity: uidValidity
            ),
            uidNext: uidNext
        )
    }
}
