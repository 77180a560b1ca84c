import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The mailbox that a client has selected.
struct SelectedMailbox {
    var account: AccountID
    var folder: FolderPath
    /// Whether the server has it open read-only (EXAMINE).
    var isReadOnlyUpstream: Bool
    /// Nil where the server has no UIDs that last.
    var uidValidity: UInt32?
    /// Whether the client was told that the mailbox has no mod-sequences, whatever its server says.
    var tellsNoModSeq: Bool
    /// The mailbox's flags as the server last listed them, in wire octets.
    var flags: [ByteBuffer] = []
    /// Searches whose changes the server tells, by its tag and the client's.
    var updating: [(upstream: ByteBuffer, client: ByteBuffer)] = []

    /// A server may say anew what it said at SELECT: what has changed since, or what it says last of all.
    ///
    /// - Parameter rights: in the mailbox, by the snapshot in force.
    /// - Returns: what the client is told of it.
    mutating func statusReceived(_ code: ResponseCode, rights: Rights) -> ResponseCode? {
        switch code {
        case .uidValidity(let value):
            self.uidValidity = value
        case .permanentFlags(let flags):
            return .permanentFlags(
                self.isReadOnlyUpstream ? [] : Flags.permanent(flags, rights: rights)
            )
        case .readOnly:
            return .readOnly
        default:
            break
        }
        return code.onSelected(tellsNoModSeq: self.tellsNoModSeq)
    }
}

extension Rights {
    /// Rights whose use a server can only carry out in a mailbox that is open for writing.
    static let changingSelected: Rights = [.seen, .write, .deleteMessages, .expunge]
    /// Rights that make a mailbox `READ-WRITE` (RFC 4314 §5.2).
    static let changingShared: Rights = [.changingSelected, .insert]
}

extension ResponseCode {
    /// Whether it says something of mod-sequences.
    var isOfModSeqs: Bool {
        switch self {
        case .highestModSeq, .noModSeq: true
        default: false
        }
    }

    /// The code in an untagged `OK` about the selected mailbox, or nil where it says nothing there.
    ///
    /// - Parameter tellsNoModSeq: whether the client was told that there are no mod-sequences.
    func onSelected(tellsNoModSeq: Bool) -> ResponseCode? {
        switch self {
        case .highestModSeq, .noModSeq:
            tellsNoModSeq ? nil : self
        case .uidNext, .uidValidity, .unseen, .uidNotSticky, .closed, .copyUID, .mailboxID,
            .inProgress:
            self
        default:
            nil
        }
    }

    /// The code as part of an answer to a client's command, or nil where it is not for clients.
    var forClient: ResponseCode? {
        switch self {
        case .appendUID, .copyUID, .highestModSeq, .modified, .expungeIssued, .overQuota,
            .alreadyExists, .cannot, .limit, .inUse, .noPerm, .unavailable, .tryCreate, .tooBig,
            .notSaved, .hasChildren, .badCharset, .unknownCTE, .noModSeq, .closed, .mailboxID,
            .corruption, .useAttr:
            self
        default:
            nil
        }
    }
}
