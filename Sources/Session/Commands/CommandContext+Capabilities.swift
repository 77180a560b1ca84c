import Access
import IMAP

/// The capabilities of an account's server, as this client may use them.
extension CommandContext {
    /// Whether the client may use a capability of an account's server.
    ///
    /// CONDSTORE does not count for a client that enabled QRESYNC if the server lacks QRESYNC. Such a client expects
    /// VANISHED for every expunged message (RFC 7162 §3.2.5). Without VANISHED it would keep expunged messages, so it
    /// is told that the mailbox has no mod-sequences.
    func has(_ capability: String, in account: AccountID) -> Bool {
        guard let profile = self.upstream(of: account)?.profile, profile.has(capability) else {
            return false
        }
        guard capability == "CONDSTORE", self.enabled.contains("QRESYNC") else { return true }
        return profile.has("QRESYNC")
    }

    /// The STATUS items that the account's server can answer. If only HIGHESTMODSEQ was requested and is unavailable,
    /// UIDVALIDITY is requested instead, because the reply still shows whether the mailbox exists.
    func items(of status: Status, in account: AccountID) -> Status {
        var asked = status
        asked.items.removeAll { item in
            item.requiredCapability.map { !self.has($0, in: account) } ?? false
        }
        if asked.items.isEmpty, status.items.contains(.highestModSeq) {
            asked.items = [.uidValidity]
        }
        return asked
    }
}

extension StatusResponse {
    /// Sets HIGHESTMODSEQ to 0, which means no mod-sequences (RFC 7162 §3.1.2.2), and removes items that the client
    /// did not request.
    mutating func setNoModSeq(in items: [StatusItem]) {
        self.items.removeAll { $0.item == .highestModSeq || !items.contains($0.item) }
        self.items.append((item: .highestModSeq, value: .number(0)))
    }
}
