import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A running COPY or MOVE from the selected mailbox to another account, or a MOVE within an account whose server lacks
/// MOVE (RFC 6851).
///
/// Messages are streamed one after the other, each once the target asks for its octets. The gateway never holds a
/// whole message. The journal records the progress, so that after a failure of the gateway or of a server no message is
/// lost and none stays twice.
///
/// A reference type, because each response reads it, and a read must not copy it. One session owns it.
final class Transferring: RunningCommand {
    enum Step {
        /// SELECT of the target mailbox is in flight. It reports UIDVALIDITY, UIDNEXT and PERMANENTFLAGS.
        case selectingTarget
        /// STATUS of the target mailbox is in flight, because SELECT did not report UIDNEXT, or because source and
        /// target are on one connection and the source must stay selected.
        case askingUIDNext
        /// The target refused SELECT without a response code. LIST is in flight, to learn whether the mailbox exists.
        case lookingForTarget(ReplyText)
        /// NOTIFY is in flight at the source, so that it pushes no message items (RFC 5465 §5.2).
        case silencing
        /// FETCH of the messages' UIDs, flags and dates is in flight at the source.
        case listing
        /// The journal is recording the transfer.
        case recording
        /// FETCH of the next message is in flight at the source.
        case fetching
        /// APPEND was sent up to a literal, and the target must ask for it. The source is not read.
        case announcing
        /// Octets of the message are streamed from the source to the target.
        case streaming
        /// The message was streamed; the source has not yet completed FETCH.
        case fetched
        /// The journal is recording the messages that were sent, before the target gets the end of the command.
        case recordingAppend
        /// The whole command was sent to the target; its tagged response is awaited.
        case confirming
        /// The journal is recording that the target has all messages.
        case recordingCopied
        /// STORE of `\Deleted` on the originals is in flight.
        case marking
        /// Not all originals could be marked. STORE that removes `\Deleted` again is in flight.
        case unmarking(ReplyText)
        /// UID EXPUNGE of the originals is in flight.
        case expunging
        /// The journal is deleting the entry; then the client gets this response.
        case forgetting(ReplyText)
        /// The transfer failed; the rest of the source's message is being discarded.
        case draining(ReplyText)
        /// The transfer failed; the recovery is undoing or completing it.
        case resolving(ReplyText)
    }

    let plan: TransferPlan
    /// The user's rights in the target, by the snapshot in force.
    var rights: Rights

    var step = Step.selectingTarget
    /// Remaining segments of the command in flight, each sent after a continuation request.
    var segments: [ByteBuffer] = []
    /// The account whose server gets ``segments``.
    var segmentsAccount: AccountID

    var listing = TransferListing()
    var progress = TransferProgress()
    var journal = TransferJournal()
    /// Whether the target mailbox was unselected, or its connection closed.
    var hasLeftTarget = false
    /// Whether the client of a MOVE has got COPYUID.
    var hasToldCopies = false

    // MARK: Properties of the target mailbox

    var uidValidity: UInt32?
    /// UIDNEXT before the transfer. Every copy has at least this UID.
    var uidNext: UInt32?
    /// PERMANENTFLAGS in upper case; nil if the target did not report them.
    var permanentFlags: Set<String>?

    /// Whether LIST returned the target mailbox.
    var isTargetListed = false

    init(_ plan: TransferPlan, rights: Rights) {
        self.plan = plan
        self.rights = rights
        self.segmentsAccount = plan.target
    }

    /// Whether the source must not be read until the target asks for the message (back-pressure).
    var isSourcePaused: Bool {
        if case .announcing = self.step { return true }
        return false
    }

    /// Whether the command in flight concerns the target mailbox. If source and target share a connection, this
    /// decides how its tagged response is used.
    var isTargetAsked: Bool {
        switch self.step {
        case .selectingTarget, .askingUIDNext, .lookingForTarget, .confirming: true
        default: false
        }
    }

    /// Whether the target has, or may have, stored messages, so that a failed transfer must be undone or completed.
    var needsResolution: Bool {
        self.progress.isInDoubt || self.journal.isCopied || !self.progress.confirmed.isEmpty
    }

    /// The journal entry; nil if UIDVALIDITY or UIDNEXT of the target is unknown.
    var record: Transfer? {
        guard let uidValidity = self.uidValidity, let uidNext = self.uidNext else { return nil }
        return Transfer(
            moves: self.plan.moves,
            source: Transfer.Mailbox(
                account: self.plan.source,
                folder: self.plan.sourceFolder,
                uidValidity: self.plan.sourceValidity
            ),
            uids: self.listing.messages.map(\.uid),
            target: Transfer.Mailbox(
                account: self.plan.target,
                folder: self.plan.targetFolder,
                uidValidity: uidValidity
            ),
            uidNext: uidNext
        )
    }
}
