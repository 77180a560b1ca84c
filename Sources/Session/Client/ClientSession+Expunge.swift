import Access
import IMAP

import struct NIOCore.ByteBuffer

/// EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9).
extension ClientSession {
    mutating func expunge(
        _ tag: ByteBuffer,
        selected: SelectedMailbox,
        rights: Rights,
        set: SequenceSet?
    ) {
        guard rights.contains(.expunge), !selected.isReadOnlyUpstream else {
            return self.finish(tag, text: .notPermitted)
        }
        var encoder = self.encoder(for: selected.account)
        encoder.write(word: set == nil ? "EXPUNGE" : "UID EXPUNGE")
        if let set = set { set.encode(into: &encoder) }
        self.forward(tag, account: selected.account, name: "EXPUNGE", encoder: encoder)
    }
}
