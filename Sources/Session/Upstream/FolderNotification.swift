import Access
import IMAP

import struct NIOCore.ByteBuffer

/// An unsolicited notification of a server about a folder (RFC 5465 §5).
struct FolderNotification {
    var folder: FolderPath
    /// The rights that the user needs to receive it.
    var needs: Rights
    /// The response for the client, with the client's name of the folder.
    var line: ByteBuffer
}

extension ListResponse {
    /// Whether the response names an existing mailbox, not a deleted or renamed one (RFC 5465 §5.4).
    var isMailbox: Bool {
        self.oldName == nil && !self.attributes.contains { $0.equals(word: "\\NonExistent") }
    }
}

extension StatusResponse {
    /// The value of `MAILBOXID`; nil if the response has none (RFC 8474 §4.3).
    var mailboxIdentifier: ByteBuffer? {
        for (item, value) in self.items where item == .mailboxID {
            if case .identifier(let octets) = value { return octets }
        }
        return nil
    }
}
