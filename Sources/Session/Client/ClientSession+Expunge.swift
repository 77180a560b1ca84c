import Access
import IMAP

import struct NIOCore.ByteBuffer

/// EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9).
extension ClientSession {
    /// Both need `e` (RFC 4314 §4).
    ///
    /// - Parameter set: the UIDs of UID EXPUNGE; nil for EXPUNGE.
    mutating func expunge(
        _ tagged: TaggedCommand,
        set: SequenceSet?,
        selected: SelectedMailbox,
        rights: Rights
    ) {
        guard rights.contains(.expunge), !selected.isReadOnlyUpstream else {
            return self.finish(tagged.tag, text: .notPermitted)
        }
        self.forward(tagged, to: selected.account) { encoder in
            encoder.write(word: set == nil ? "EXPUNGE" : "UID EXPUNGE")
            set?.encode(into: &encoder)
        }
    }
}
