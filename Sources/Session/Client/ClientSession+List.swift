import Access
import IMAP

import struct NIOCore.ByteBuffer

/// LIST and LSUB (RFC 9051 §6.3.9, RFC 3501 §6.3.9).
extension ClientSession {
    /// LIST (RFC 9051 §6.3.9). An empty pattern asks for the hierarchy delimiter.
    mutating func list(_ tag: ByteBuffer, list: List) {
        // No server is asked: the gateway has one delimiter for all accounts.
        if list.isDelimiterQuery {
            self.emit(Reply.listRoot(delimiter: Namespace.delimiter))
            return self.finish(tag, text: .completed("LIST"))
        }
        self.list(tag, request: ListRequest(list))
    }

    /// LSUB (RFC 3501 §6.3.9).
    mutating func lsub(_ tag: ByteBuffer, lsub: Lsub) {
        self.list(tag, request: ListRequest(lsub))
    }

    /// Starts a listing, and yields the event loop before the next pipelined command.
    private mutating func list(_ tag: ByteBuffer, request: ListRequest) {
        self.refreshNamespace()
        let listing = Listing(tag: tag, request: request)
        self.running = .listing(listing)
        listing.begin(in: &self)
        // The next command may list as many accounts, so it gets a turn of its own.
        if self.reader.bufferedOctets > 0 { self.yieldLoop() }
    }

    /// The cached folder lists were looked up.
    package mutating func foldersLookedUp(_ known: [FolderListKey: FolderKnowledge]) {
        guard case .listing(let listing) = self.running else { return }
        listing.foldersLookedUp(known, in: &self)
        self.readClient()
    }

    /// The time limit has passed within which servers may delay the answer to a login or a listing.
    /// A login still waits for the server of the personal account.
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
