/// A COPY or MOVE between two accounts, as the journal keeps it until nothing of it is in doubt.
///
/// The rule that every step obeys: nothing is removed at the source before the target has confirmed
/// every message, and no copy is removed at the target unless its original is seen at the source
/// and the journal names the copy's UID. Nothing that stands in a message names a copy.
package struct Transfer: Equatable, Sendable {
    /// How far it has come.
    package enum State: String, Equatable, Sendable {
        /// The target may hold none, some or all of the messages; the source holds all of them.
        case begun
        /// The target has confirmed all of them; of a MOVE, the source's go.
        case copied
    }

    /// A mailbox, as long as its UIDs are valid.
    package struct Mailbox: Equatable, Sendable {
        package var account: AccountID
        package var folder: FolderPath
        package var uidValidity: UInt32

        package init(account: AccountID, folder: FolderPath, uidValidity: UInt32) {
            self.account = account
            self.folder = folder
            self.uidValidity = uidValidity
        }
    }

    /// A message whose octets the target has got.
    package struct Message: Equatable, Sendable {
        /// Its UID at the source.
        package var source: UInt32
        package var octets: UInt64
        /// INTERNALDATE, in seconds since 1970.
        package var date: Int64
        package var digest: MessageDigest

        package init(source: UInt32, octets: UInt64, date: Int64, digest: MessageDigest) {
            self.source = source
            self.octets = octets
            self.date = date
            self.digest = digest
        }
    }

    /// A message that was sent to the target, as the journal has it.
    package struct Copy: Equatable, Sendable {
        package var message: Message
        /// Whether the target has confirmed it.
        package var isStored: Bool
        /// What APPENDUID said, or what the digest has proven; nil where neither did.
        package var uid: UInt32?

        package init(message: Message, isStored: Bool = false, uid: UInt32? = nil) {
            self.message = message
            self.isStored = isStored
            self.uid = uid
        }
    }

    package var state: State
    package var moves: Bool
    package var source: Mailbox
    /// The messages at the source.
    package var uids: [UInt32]
    package var target: Mailbox
    /// Every message that this transfer puts there has at least this UID.
    package var uidNext: UInt32
    /// What was sent to the target; only these, and only by their UIDs, are ever removed there.
    package var copies: [Copy] = []
    /// Whether a transfer of the same messages into the same mailbox ran at the same time: a digest
    /// does not tell then whose copy a message is.
    package var isContested = false
    /// Whether ``copies`` tells everything: entries of earlier versions have none.
    package var recordsCopies = true

    package init(
        state: State = .begun,
        moves: Bool,
        source: Mailbox,
        uids: [UInt32],
        target: Mailbox,
        uidNext: UInt32
    ) {
        self.state = state
        self.moves = moves
        self.source = source
        self.uids = uids
        self.target = target
        self.uidNext = uidNext
    }
}

/// One APPEND of a transfer, of which the target has got all but the last line end.
package struct TransferAppend: Equatable, Sendable {
    /// Counted from 1.
    package var number: Int
    package var messages: [Transfer.Message]
    /// What became of the one before.
    package var previous: AppendOutcome

    package init(number: Int, messages: [Transfer.Message], previous: AppendOutcome) {
        self.number = number
        self.messages = messages
        self.previous = previous
    }
}

/// What the session knows of a transfer's last APPEND, and the journal perhaps does not.
package struct AppendOutcome: Equatable, Sendable {
    package enum Answer: Equatable, Sendable {
        /// The target has got all of it and has not answered: it may have stored the messages, or
        /// store them at any moment, even when nobody is connected to it any more.
        case missing
        /// Nothing of it is stored: it was refused, or its last line end was never sent.
        case refused
        /// The target has stored its messages.
        /// - Parameter uids: what APPENDUID said (RFC 4315 §3), in the messages' order; nil where it
        ///   said nothing that can be used.
        case stored(uids: [UInt32]?)
    }

    /// Which APPEND, counted from 1; 0 before the first.
    package var number: Int
    package var answer: Answer

    package init(number: Int, answer: Answer) {
        self.number = number
        self.answer = answer
    }
}
