import Access
import IMAP

import struct NIOCore.ByteBuffer

/// What a server told by itself of a folder (RFC 5465 §5).
struct FolderNews {
    var folder: FolderPath
    /// Rights that the client needs to know of it.
    var needs: Rights
    /// What the client is told, with the client's name of the folder.
    var line: ByteBuffer
}

extension ListResponse {
    /// Whether the response names a mailbox that is there, and not one that went or has a new name
    /// (RFC 5465 §5.4).
    var isMailbox: Bool {
        self.oldName == nil && !self.attributes.contains { $0.equals(word: "\\NonExistent") }
    }
}

extension StatusResponse {
    /// The value of `MAILBOXID`.
    var mailboxIdentifier: ByteBuffer? {
        for (item, value) in self.items where item == .mailboxID {
            if case .identifier(let octets) = value { return octets }
        }
        return nil
    }
}
