import Access
import IMAP

import struct NIOCore.ByteBuffer

/// SEARCH, SORT and THREAD in the selected mailbox.
extension ClientSession {
    mutating func search(_ tag: ByteBuffer, search: Search, selected: SelectedMailbox) {
        guard !search.hasUnsupportedCharset else { return self.finish(tag, text: .badCharset) }
        var search = search
        let extensions = SearchExtensions(results: "ESEARCH", context: "CONTEXT=SEARCH")
        guard !self.losesSavedResult(search.returns, extensions: extensions, selected: selected)
        else {
            return self.finish(tag, text: .lacking("SEARCHRES"))
        }
        let updates = self.mayUpdate(
            tag,
            returns: &search.returns,
            extensions: extensions,
            selected: selected
        )
        let results = self.translate(
            &search.returns,
            extensions: extensions,
            selected: selected,
            isUID: search.isUID
        )
        var encoder = self.encoder(for: selected.account)
        let upstreamTag = self.upstreams[selected.account]?.inFlight
        search.encode(into: &encoder)
        self.forward(tag, account: selected.account, name: "SEARCH", encoder: encoder) {
            $0.expected = .search
            $0.updatingTag = updates ? upstreamTag : nil
            $0.results = results
        }
    }

    mutating func sort(_ tag: ByteBuffer, sort: Sort, selected: SelectedMailbox) {
        guard !sort.hasUnsupportedCharset else { return self.finish(tag, text: .badCharset) }
        var sort = sort
        let extensions = SearchExtensions(results: "ESORT", context: "CONTEXT=SORT")
        guard !self.losesSavedResult(sort.returns, extensions: extensions, selected: selected)
        else {
            return self.finish(tag, text: .lacking("SEARCHRES"))
        }
        let updates = self.mayUpdate(
            tag,
            returns: &sort.returns,
            extensions: extensions,
            selected: selected
        )
        var results = self.translate(
            &sort.returns,
            extensions: extensions,
            selected: selected,
            isUID: sort.isUID
        )
        results?.keepsOrder = true
        let collected = results
        var encoder = self.encoder(for: selected.account)
        let upstreamTag = self.upstreams[selected.account]?.inFlight
        sort.encode(into: &encoder)
        self.forward(tag, account: selected.account, name: "SORT", encoder: encoder) {
            $0.expected = collected == nil ? [.sort, .search] : .sort
            $0.updatingTag = updates ? upstreamTag : nil
            $0.results = collected
        }
    }

    mutating func thread(_ tag: ByteBuffer, thread: Thread, selected: SelectedMailbox) {
        guard !thread.hasUnsupportedCharset else { return self.finish(tag, text: .badCharset) }
        var encoder = self.encoder(for: selected.account)
        thread.encode(into: &encoder)
        self.forward(tag, account: selected.account, name: "THREAD", encoder: encoder) {
            $0.expected = .thread
        }
    }
}
