import Access
import IMAP

/// What the server of an account can do for this client.
extension CommandContext {
    /// Whether an account's server has a capability for this client.
    ///
    /// A client that enabled QRESYNC takes HIGHESTMODSEQ as a promise that VANISHED names every message that
    /// went (RFC 7162 §3.2.5). At a server with CONDSTORE alone nothing names them, and the client would
    /// keep them: it is told that there are no mod-sequences.
    func has(_ capability: String, in account: AccountID) -> Bool {
        guard let profile = self.upstream(of: account)?.profile, profile.has(capability) else {
            return false
        }
        guard capability == "CONDSTORE", self.enabled.contains("QRESYNC") else { return true }
        return profile.has("QRESYNC")
    }

    /// What of a STATUS the account's server can answer. Where that is nothing, and HIGHESTMODSEQ is asked
    /// for, another item tells whether the mailbox is there.
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
    /// Says that the mailbox has no mod-sequences, and leaves out what was not asked for.
    mutating func setNoModSeq(in items: [StatusItem]) {
        self.items.removeAll { $0.item == .highestModSeq || !items.contains($0.item) }
        self.items.append((item: .highestModSeq, value: .number(0)))
    }
}
