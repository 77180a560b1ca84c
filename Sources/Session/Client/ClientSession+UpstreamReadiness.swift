import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The server of an account, made ready before a command runs there.
extension ClientSession {
    /// Whether an account's server is connected, idle and in step with what the client enabled.
    /// Where it is not, what is missing is started and the command is dispatched anew, with every
    /// check, once it is there; or it is refused.
    mutating func prepare(_ account: AccountID, for tagged: TaggedCommand) -> Bool {
        self.open(account)
        guard let upstream = self.upstreams[account], upstream.isIdle,
            !self.requestFoldersForNews(of: account),
            upstream.isInStep(self.watching) || !self.bringInStep(account)
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

    mutating func open(_ account: AccountID) {
        guard self.upstreams[account] == nil else { return }
        if case .ended = self.running { return }
        self.upstreams[account] = Upstream(tags: UpstreamTags(random: 0))
        self.actions.append(.openUpstream(account))
    }
}
