package import Access

/// What is known better than in the journal of a transfer that was interrupted.
package enum TransferStanding: Equatable, Sendable {
    /// The target has every message.
    case copied
    /// The target has what the journal tells, and the last APPEND came to this.
    case begun(AppendOutcome)

    package var state: Transfer.State {
        switch self {
        case .copied: .copied
        case .begun: .begun
        }
    }
}

/// What became of a transfer that was interrupted.
package enum TransferResolution: Equatable, Sendable {
    /// The target holds none of the messages, the source all.
    case undone
    /// The move is complete.
    case completed
    /// Copies stay at the target, or may: it cannot remove single messages (no UIDPLUS), or nothing
    /// proves which messages they are. The log and `doctor` tell.
    case remains
    /// A server cannot be used now, or may not have stored yet what it got; it is looked again.
    case postponed
}

/// What a session asks of the journal of transfers.
package enum JournalRequest: Equatable, Sendable {
    case record(Transfer)
    /// An APPEND is about to be completed.
    case append(Int64, TransferAppend)
    /// The target has every message, those with these UIDs at the source.
    case confirm(Int64, [UInt32], last: AppendOutcome)
    case forget(Int64)
    /// Bring an interrupted transfer to its end, from what is known or the state in the journal.
    case resolve(Int64, TransferStanding?)
}

/// What the journal of transfers answers.
package enum JournalAnswer: Equatable, Sendable {
    /// The entry's number; nil where the journal could not be written.
    case recorded(Int64?)
    /// Not recorded: some of the messages are being moved.
    case busy
    /// Whether the APPEND was written.
    case appending(Bool)
    /// Whether it was written.
    case confirmed(Bool)
    case forgotten(Bool)
    case resolved(TransferResolution)
}
