import Access
import IMAP

import struct NIOCore.ByteBuffer

/// FETCH and UID FETCH (RFC 9051 §6.4.5).
extension ClientSession {
    /// FETCH needs `r`, which the dispatcher checks. Without `s`, the gateway asks for the forms of
    /// the items that do not set `\Seen` (BODY.PEEK; RFC 4314 §4), and gives items whose names
    /// differ the client's names in the responses.
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
