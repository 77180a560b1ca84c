import Access
import IMAP

import struct NIOCore.ByteBuffer

/// LIST and LSUB (RFC 9051 §6.3.9, RFC 3501 §6.3.9).
extension ClientSession {
    mutating func list(_ tag: ByteBuffer, list: List) {
        // RFC 9051 §6.3.9: an empty pattern asks for the delimiter.
        if list.isDelimiterQuery {
            self.emit(Reply.listRoot(delimiter: Namespace.delimiter))
            return self.finish(tag, text: .completed("LIST"))
        }
        self.list(tag, request: ListRequest(list))
    }

    mutating func lsub(_ tag: ByteBuffer, lsub: Lsub) {
        self.list(tag, request: ListRequest(lsub))
    }

    private mutating func list(_ tag: ByteBuffer, request: ListRequest) {
        self.refreshNamespace()
        let listing = Listing(tag: tag, request: request)
        self.running = .listing(listing)
        listing.begin(in: &self)
        // What is asked behind it, and may list as many accounts, is the next turn's.
        if self.reader.bufferedOctets > 0 { self.yieldLoop() }
    }

    /// What is known of folders was looked up.
    package mutating func foldersLookedUp(_ known: [FolderListKey: FolderKnowledge]) {
        guard case .listing(let listing) = self.running else { return }
        listing.foldersLookedUp(known, in: &self)
        self.readClient()
    }

    /// A client has waited long enough for servers that do not answer.
    package mutating func waitingTimePassed() {
        switch self.running {
        case .discoveringCapabilities(let tag, let waiting)
        where !waiting.contains(where: { $0 == self.namespace.personal }):
            self.loggedIn(tag)
        case .listing(let listing):
            listing.waitingTimePassed(in: &self)
        default:
            break
        }
        self.readClient()
    }
}
