package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// IDLE (RFC 2177).
extension ClientSession {
    /// Idles at the server of the selected mailbox where that can, else here.
    mutating func idle(_ tagged: TaggedCommand) {
        guard let selected = self.selected else { return self.idle(tagged.tag, at: .here) }
        let account = selected.account
        guard self.mayRead(selected.folder, of: account) else {
            self.leaveSelected(announce: true)
            return self.finish(tagged.tag, text: .notPermitted)
        }
        guard self.prepare(account, for: tagged) else { return }
        let hasIdle = self.upstreams[account]?.profile.has("IDLE") ?? false
        self.idle(tagged.tag, at: hasIdle ? .upstream(account) : .polled(account))
    }

    private mutating func idle(_ tag: ByteBuffer, at place: Idling.Place) {
        let idling = Idling(tag: tag, at: place)
        self.running = .idling(idling)
        idling.begin(in: &self)
    }

    /// The client waits, and the server of the selected mailbox cannot idle: it is asked from time
    /// to time, so that new messages show all the same. So are servers of accounts that are watched and have
    /// no NOTIFY.
    package mutating func pollDue(at now: Moment) {
        self.now = now
        self.isPollScheduled = false
        if case .idling(let idling) = self.running { idling.pollDue(in: &self) }
        self.pollWatched()
    }
}
