import Access
import IMAP

import struct NIOCore.ByteBuffer

/// SEARCH, SORT and THREAD in the selected mailbox.
extension ClientSession {
    mutating func search(_ tag: ByteBuffer, _ search: Search, _ selected: Selected) {
        guard !search.hasUnsupportedCharset else { return self.finish(tag, .badCharset) }
        var search = search
        let extensions = SearchExtensions(results: "ESEARCH", context: "CONTEXT=SEARCH")
        guard !self.losesSavedResult(search.returns, extensions, selected) else {
            return self.finish(tag, .lacking("SEARCHRES"))
        }
        let updates = self.mayUpdate(tag, &search.returns, extensions, selected)
        let results = self.translate(&search.returns, extensions, selected, isUID: search.isUID)
        var encoder = self.encoder(for: selected.account)
        let upstreamTag = self.upstreams[selected.account]?.inFlight
        search.encode(into: &encoder)
        self.forward(tag, selected.account, "SEARCH", encoder) {
            $0.expected = .search
            $0.updatingTag = updates ? upstreamTag : nil
            $0.results = results
        }
    }

    mutating func sort(_ tag: ByteBuffer, _ sort: Sort, _ selected: Selected) {
        guard !sort.hasUnsupportedCharset else { return self.finish(tag, .badCharset) }
        var sort = sort
        let extensions = SearchExtensions(results: "ESORT", context: "CONTEXT=SORT")
        guard !self.losesSavedResult(sort.returns, extensions, selected) else {
            return self.finish(tag, .lacking("SEARCHRES"))
        }
        let updates = self.mayUpdate(tag, &sort.returns, extensions, selected)
        var results = self.translate(&sort.returns, extensions, selected, isUID: sort.isUID)
        results?.keepsOrder = true
        let collected = results
        var encoder = self.encoder(for: selected.account)
        let upstreamTag = self.upstreams[selected.account]?.inFlight
        sort.encode(into: &encoder)
        self.forward(tag, selected.account, "SORT", encoder) {
            $0.expected = collected == nil ? [.sort, .search] : .sort
            $0.updatingTag = updates ? upstreamTag : nil
            $0.results = collected
        }
    }

    mutating func thread(_ tag: ByteBuffer, _ thread: Thread, _ selected: Selected) {
        guard !thread.hasUnsupportedCharset else { return self.finish(tag, .badCharset) }
        var encoder = self.encoder(for: selected.account)
        thread.encode(into: &encoder)
        self.forward(tag, selected.account, "THREAD", encoder) { $0.expected = .thread }
    }
}
