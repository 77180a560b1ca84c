import Access
import IMAP

/// What the journal has of a transfer, and what is still to be written there.
struct TransferJournal {
    /// The last APPEND that the journal has been given, and what it came to.
    var last = AppendOutcome(number: 0, answer: .refused)
    /// What ``last`` was before, until the journal has answered.
    var previous = AppendOutcome(number: 0, answer: .refused)
    /// The entry's number.
    var entry: Int64?
    var isCopied = false
    /// Why a server went while the journal was written.
    var lostAnswer: ReplyText?
    /// Originals still to be marked or expunged, a command each.
    var batches: [SequenceSet] = []

    /// What the journal cannot know of it.
    var standing: TransferStanding { self.isCopied ? .copied : .begun(self.last) }
}
