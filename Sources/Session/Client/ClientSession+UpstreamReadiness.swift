import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Prepares the server of an account for a command.
extension ClientSession {
    /// Whether an account's server is connected, idle and has everything enabled that the client
    /// enabled. If not, the missing steps are started, and the command is dispatched again after
    /// them, with every check; or it is refused.
    ///
    /// - Returns: false if the command was answered or waits.
    mutating func prepare(_ account: AccountID, for tagged: TaggedCommand) -> Bool {
        self.open(account)
        guard let upstream = self.upstreams[account], upstream.isIdle,
            !self.requestFoldersForNotifications(of: account),
            upstream.isSynchronized(with: self.watching) || !self.synchronizeNotify(account)
        else {
            self.running = .preparing(tagged, account)
            return false
        }
        let capabilities = tagged.traits.requiredCapabilities
        if capabilities.isEmpty, self.enabled.isEmpty { return true }
        if let refusal = self.refusal(of: capabilities, in: account) {
            self.finish(tagged.tag, text: refusal)
            return false
        }
        guard !self.enable(in: account, for: tagged) else {
            self.running = .preparing(tagged, account)
            return false
        }
        return true
    }

    /// Requests a connection to an account's server, unless there is one.
    mutating func open(_ account: AccountID) {
        guard self.upstreams[account] == nil else { return }
        if case .ended = self.running { return }
        self.upstreams[account] = Upstream(tags: UpstreamTags(random: 0))
        self.actions.append(.openUpstream(account))
    }
}
