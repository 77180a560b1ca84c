import Access
import IMAP

import struct NIOCore.ByteBuffer

/// SEARCH (RFC 9051 §6.4.4) and SORT (RFC 5256) in the selected mailbox.
extension ClientSession {
    /// Forwards SEARCH with the return options that the server supports. Where it lacks some, the
    /// gateway makes the ESEARCH response from the plain answer.
    mutating func search(_ tagged: TaggedCommand, search: Search, selected: SelectedMailbox) {
        guard !search.hasUnsupportedCharset else {
            return self.finish(tagged.tag, text: .badCharset)
        }
        var search = search
        let extensions = SearchExtensions(results: "ESEARCH", context: "CONTEXT=SEARCH")
        guard !self.losesSavedResult(search.returns, extensions: extensions, selected: selected)
        else {
            return self.finish(tagged.tag, text: .lacking("SEARCHRES"))
        }
        let updates = self.mayUpdate(
            tagged.tag,
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
        self.forward(tagged, to: selected.account) {
            $0.isUpdating = updates
            $0.results = results
        } encode: {
            search.encode(into: &$0)
        }
    }

    /// Forwards SORT in the same way. The collected results keep the server's order.
    mutating func sort(_ tagged: TaggedCommand, sort: Sort, selected: SelectedMailbox) {
        guard !sort.hasUnsupportedCharset else { return self.finish(tagged.tag, text: .badCharset) }
        var sort = sort
        let extensions = SearchExtensions(results: "ESORT", context: "CONTEXT=SORT")
        guard !self.losesSavedResult(sort.returns, extensions: extensions, selected: selected)
        else {
            return self.finish(tagged.tag, text: .lacking("SEARCHRES"))
        }
        let updates = self.mayUpdate(
            tagged.tag,
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
        self.forward(tagged, to: selected.account) {
            if collected != nil { $0.expected = [.sort] }
            $0.isUpdating = updates
            $0.results = collected
        } encode: {
            sort.encode(into: &$0)
        }
    }
}
