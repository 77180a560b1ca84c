import Access
import IMAP

/// The state of a transfer's journal entry, including outcomes that are not yet written.
struct TransferJournal {
    /// The last APPEND that was given to the journal, with its outcome.
    var last = AppendOutcome(number: 0, answer: .refused)
    /// The value of ``last`` before the APPEND that the journal is writing.
    var previous = AppendOutcome(number: 0, answer: .refused)
    /// The number of the entry; nil until it is recorded.
    var entry: Int64?
    /// Whether the journal has recorded that the target has every message.
    var isCopied = false
    /// The tagged response for a connection that was lost while the journal was written.
    var lostAnswer: ReplyText?
    /// UIDs of the originals still to be marked or expunged, one command each.
    var batches: [SequenceSet] = []

    /// The state that a recovery uses in addition to the journal entry.
    var interruptedState: InterruptedTransferState { self.isCopied ? .copied : .begun(self.last) }
}
