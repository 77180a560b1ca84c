import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The mailbox that a client has selected.
struct SelectedMailbox {
    var account: AccountID
    var folder: FolderPath
    /// Whether the server has it open read-only (EXAMINE).
    var isReadOnlyUpstream: Bool
    /// Nil if the server has no persistent UIDs.
    var uidValidity: UInt32?
    /// Whether the client was told that the mailbox has no mod-sequences, although its server has them.
    var tellsNoModSeq: Bool
    /// The mailbox's flags as the server last listed them, in wire octets.
    var flags: [ByteBuffer] = []
    /// The tags of searches with updates (RFC 5267 §4.3): the gateway's and the client's.
    var updating: [(upstream: ByteBuffer, client: ByteBuffer)] = []

    /// Takes a response code about the mailbox, which a server may also send after SELECT.
    ///
    /// - Parameter rights: the rights in the mailbox, by the snapshot in force.
    /// - Returns: the code for the client; nil if the client gets none.
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
    /// Rights whose use needs SELECT at the server; without any of them, the gateway uses EXAMINE.
    static let changingSelected: Rights = [.seen, .write, .deleteMessages, .expunge]
    /// Rights that make a mailbox `READ-WRITE` (RFC 4314 §5.2).
    static let changingShared: Rights = [.changingSelected, .insert]
}

extension ResponseCode {
    /// Whether the code concerns mod-sequences (RFC 7162 §3.1.2).
    var isOfModSeqs: Bool {
        switch self {
        case .highestModSeq, .noModSeq: true
        default: false
        }
    }

    /// The code for the client in an untagged `OK` about the selected mailbox; nil if it has no meaning there.
    ///
    /// - Parameter tellsNoModSeq: whether the client was told that the mailbox has no mod-sequences.
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

    /// The code for the client in a tagged response; nil if clients must not get it.
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
