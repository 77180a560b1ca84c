package import Access
import IMAP

import struct NIOCore.ByteBuffer

/// IDLE (RFC 2177).
extension ClientSession {
    /// IDLE runs at the server of the selected mailbox if that offers it. Otherwise the gateway
    /// idles, and polls the server of a selected mailbox.
    mutating func idle(_ tagged: TaggedCommand) {
        guard let selected = self.selected else { return self.idle(tagged.tag, watcher: .nobody) }
        let account = selected.account
        guard self.mayRead(selected.folder, of: account) else {
            self.leaveSelected(announce: true)
            return self.finish(tagged.tag, text: .notPermitted)
        }
        guard self.prepare(account, for: tagged) else { return }
        let hasIdle = self.upstreams[account]?.profile.has("IDLE") ?? false
        self.idle(tagged.tag, watcher: hasIdle ? .upstream(account) : .polled(account))
    }

    /// Makes IDLE the running command.
    private mutating func idle(_ tag: ByteBuffer, watcher: Idling.Watcher) {
        let idling = Idling(tag: tag, watcher: watcher)
        self.running = .idling(idling)
        idling.begin(in: &self)
    }

    /// The poll timer has fired. The gateway polls the selected mailbox if its server lacks IDLE,
    /// and the watched accounts whose servers lack NOTIFY.
    package mutating func pollDue(at now: Moment) {
        self.now = now
        self.isPollScheduled = false
        if case .idling(let idling) = self.running { idling.pollDue(in: &self) }
        self.pollWatched()
    }
}
