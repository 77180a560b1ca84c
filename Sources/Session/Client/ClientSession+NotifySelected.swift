import Access
import IMAP

/// The selected mailbox of a client that uses NOTIFY. From its first NOTIFY on, the client gets
/// only the events that it asked for, and none after NOTIFY NONE or without SELECTED (RFC 5465
/// §3.1). A server that got no NOTIFY would continue to send all events in the answers to commands.
/// So every server with NOTIFY gets one; a server without NOTIFY still sends them.
extension ClientSession {
    /// Whether the server of the selected mailbox needs a NOTIFY and got none.
    func lacksNotify(_ account: AccountID) -> Bool {
        self.selected?.account == account && self.mustBeGivenNotify(account)
    }

    /// Sends NOTIFY to a server that needs one, before it opens a mailbox.
    ///
    /// - Returns: whether a command was sent; then no other can be sent now.
    mutating func giveNotify(to account: AccountID) -> Bool {
        guard self.mustBeGivenNotify(account) else { return false }
        self.upstreams[account]?.isNotifyDue = true
        return self.synchronizeNotify(account)
    }

    /// Whether the client has used NOTIFY, and this server offers it and got none.
    private func mustBeGivenNotify(_ account: AccountID) -> Bool {
        guard self.hasUsedNotify, let upstream = self.upstreams[account] else { return false }
        return upstream.profile.has("NOTIFY") && !upstream.isNotifyGiven
    }
}
