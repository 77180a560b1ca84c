import Access
import IMAP

/// The selected mailbox of a client that uses NOTIFY. From its first NOTIFY on it is told only what it asked for,
/// and nothing after NOTIFY NONE, or where SELECTED is missing (RFC 5465 §3.1): servers that were given no
/// NOTIFY would go on to tell everything, in the answers to commands. One without NOTIFY does.
extension ClientSession {
    /// Whether the server of the selected mailbox was given no NOTIFY, and has to be.
    func lacksNotify(_ account: AccountID) -> Bool {
        self.selected?.account == account && self.mustBeGivenNotify(account)
    }

    /// Tells a server what the client wants to know, before it opens a mailbox.
    /// - Returns: whether it is being told, so that nothing else can be sent now.
    mutating func giveNotify(to account: AccountID) -> Bool {
        guard self.mustBeGivenNotify(account) else { return false }
        self.upstreams[account]?.isNotifyDue = true
        return self.bringInStep(account)
    }

    private func mustBeGivenNotify(_ account: AccountID) -> Bool {
        guard self.hasUsedNotify, let upstream = self.upstreams[account] else { return false }
        return upstream.profile.has("NOTIFY") && !upstream.isNotifyGiven
    }
}
