import Access
import IMAP

import struct NIOCore.ByteBuffer

/// FETCH and UID FETCH (RFC 9051 §6.4.5).
extension ClientSession {
    /// Without the right to set `\Seen`, bodies are asked for in the form that does not set it.
    mutating func fetch(
        _ tag: ByteBuffer,
        fetch: Fetch,
        selected: SelectedMailbox,
        rights: Rights
    ) {
        let mustPeek = !rights.contains(.seen) && !selected.isReadOnlyUpstream && fetch.setsSeen
        let sent = mustPeek ? fetch.peeking() : fetch
        var encoder = self.encoder(for: selected.account)
        sent.encode(into: &encoder)
        self.forward(tag, account: selected.account, name: "FETCH", encoder: encoder) {
            $0.renamesItems = mustPeek && fetch.usesWholeMessageItems
            $0.fetchesText = fetch.asksText
        }
    }
}
