package import Access

/// A COPY or MOVE between two accounts, as the journal keeps it until nothing of it is in doubt.
///
/// The rule that every step obeys: nothing is removed at the source before the target has confirmed
/// every message, and no copy is removed at the target unless its original is seen at the source.
package struct Transfer: Equatable, Sendable {
    package enum State: String, Sendable {
        /// The target may hold none, some or all of the messages; the source holds all of them.
        case begun
        /// The target has confirmed all of them; of a MOVE, the source's go.
        case copied
    }

    /// A mailbox, as long as its UIDs are valid.
    package struct Place: Equatable, Sendable {
        package var account: AccountID
        package var folder: FolderPath
        package var uidValidity: UInt32

        package init(account: AccountID, folder: FolderPath, uidValidity: UInt32) {
            self.account = account
            self.folder = folder
            self.uidValidity = uidValidity
        }
    }

    package var moves: Bool
    package var source: Place
    /// The messages at the source.
    package var uids: [UInt32]
    package var target: Place
    /// Every message that this transfer puts there has at least this UID.
    package var uidNext: UInt32

    package init(moves: Bool, source: Place, uids: [UInt32], target: Place, uidNext: UInt32) {
        self.moves = moves
        self.source = source
        self.uids = uids
        self.target = target
        self.uidNext = uidNext
    }
}

/// What is known better than in the journal of a transfer that was interrupted.
package enum TransferStanding: Equatable, Sendable {
    /// The target has every message.
    case copied
    /// The target has confirmed so many messages. In doubt, it has got more, has not answered, and
    /// may store them at any moment, even when nobody is connected to it any more.
    case begun(confirmed: Int, isInDoubt: Bool)

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
    /// Copies stay at the target: it cannot remove single messages (no UIDPLUS), or they cannot be
    /// told from others there.
    case remains
    /// A server cannot be used now, or may not have stored yet what it got; it is looked again.
    case postponed
}

/// What a session asks of the journal of transfers.
package enum JournalRequest: Equatable, Sendable {
    case record(Transfer)
    /// The target has every message, those with these UIDs at the source.
    case confirm(Int64, [UInt32])
    case forget(Int64)
    /// Bring an interrupted transfer to its end, from what is known or the state in the journal.
    case resolve(Int64, TransferStanding?)
}

/// What the journal of transfers answers.
package enum JournalAnswer: Equatable, Sendable {
    /// The entry's number; nil where the journal could not be written.
    case recorded(Int64?)
    /// Not recorded: some of the messages are on their way already, and may be at the target.
    case busy
    /// Whether it was written.
    case confirmed(Bool)
    case forgotten(Bool)
    case resolved(TransferResolution)
}
