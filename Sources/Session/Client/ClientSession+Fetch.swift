import Access
import IMAP

import struct NIOCore.ByteBuffer

/// FETCH and UID FETCH (RFC 9051 §6.4.5).
extension ClientSession {
    /// Without the right to set `\Seen`, bodies are asked for in the form that does not set it.
    mutating func fetch(
        _ tagged: TaggedCommand,
        fetch: Fetch,
        selected: SelectedMailbox,
        rights: Rights
    ) {
        let mustPeek = !rights.contains(.seen) && !selected.isReadOnlyUpstream && fetch.setsSeen
        let sent = mustPeek ? fetch.peeking() : fetch
        self.forward(tagged, to: selected.account) {
            $0.renamesItems = mustPeek && fetch.usesWholeMessageItems
            $0.fetchesText = fetch.asksText
        } encode: {
            sent.encode(into: &$0)
        }
    }
}
