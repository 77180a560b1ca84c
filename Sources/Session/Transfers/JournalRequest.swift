package import Access

/// The state of an interrupted transfer, as its session knows it. It is newer than the journal entry.
package enum InterruptedTransferState: Equatable, Sendable {
    /// The target has every message.
    case copied
    /// The target has the messages of the journal entry, and the last APPEND had this outcome.
    case begun(AppendOutcome)

    /// The state that the journal entry gets.
    package var state: Transfer.State {
        switch self {
        case .copied: .copied
        case .begun: .begun
        }
    }
}

/// The result of the recovery of an interrupted transfer.
package enum TransferResolution: Equatable, Sendable {
    /// The target holds none of the messages, the source all.
    case undone
    /// The move is complete.
    case completed
    /// Copies stay at the target, or may stay there. Either the target cannot expunge single messages (no
    /// UIDPLUS), or no evidence identifies the copies. The log and `doctor` report the transfer.
    case remains
    /// A server is unavailable now, or may still be storing what it received. The recovery is tried again.
    case postponed
}

/// A request of a session to the transfer journal. The numbers identify the journal entry.
package enum JournalRequest: Equatable, Sendable {
    /// Create an entry. Answered with ``JournalAnswer/recorded(_:)`` or ``JournalAnswer/busy``.
    case record(Transfer)
    /// Write the messages of an APPEND before its last line end is sent to the target.
    case append(Int64, TransferAppend)
    /// Write that the target has every message. The UIDs are those of the originals at the source.
    case confirm(Int64, [UInt32], last: AppendOutcome)
    /// Delete the entry.
    case forget(Int64)
    /// Complete or undo an interrupted transfer. Without a state, the one in the journal decides.
    case resolve(Int64, InterruptedTransferState?)
}

/// The transfer journal's answer to a ``JournalRequest``.
package enum JournalAnswer: Equatable, Sendable {
    /// The number of the new entry; nil if the journal could not be written.
    case recorded(Int64?)
    /// The entry was not created, because another transfer is moving some of the messages.
    case busy
    /// Whether the APPEND was written.
    case appending(Bool)
    /// Whether the confirmation was written.
    case confirmed(Bool)
    /// Whether the entry was deleted.
    case forgotten(Bool)
    /// The recovery has ended, or is postponed.
    case resolved(TransferResolution)
}
