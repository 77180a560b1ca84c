import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Capabilities by which a server answers RETURN of a command.
struct SearchExtensions {
    /// ESEARCH (RFC 4731) or ESORT (RFC 5267).
    var results: String
    /// CONTEXT=SEARCH or CONTEXT=SORT (RFC 5267).
    var context: String
}

/// The client is offered what the personal account's server has. At a server that has less a command is
/// translated, answered as its RFC has it for such a mailbox, or refused with the name of what is missing.
extension ClientSession {
    /// Whether an account's server has a capability for this client.
    ///
    /// A client that enabled QRESYNC takes HIGHESTMODSEQ as a promise that VANISHED names every message that
    /// went (RFC 7162 §3.2.5). At a server with CONDSTORE alone nothing names them, and the client would
    /// keep them: it is told that there are no mod-sequences.
    func has(_ capability: String, in account: AccountID) -> Bool {
        guard let profile = self.upstreams[account]?.profile, profile.has(capability) else {
            return false
        }
        guard capability == "CONDSTORE", self.enabled.contains("QRESYNC") else { return true }
        return profile.has("QRESYNC")
    }

    /// The answer to a command that needs what an account's server lacks; nil where it has everything.
    func refusal(of capabilities: [String], in account: AccountID) -> ReplyText? {
        guard let lacking = capabilities.first(where: { !self.has($0, in: account) }) else {
            return nil
        }
        // RFC 7162 §3.1.2.2 and §3.2.6.
        return lacking == "CONDSTORE" || lacking == "QRESYNC" ? .badNoModSeq : .lacking(lacking)
    }

    // MARK: - Mod-sequences

    /// Whether the client is told that a mailbox has no mod-sequences: on every SELECT where CONDSTORE is
    /// offered, and the mailbox's server lacks it (RFC 7162 §3.1.2.2).
    mutating func tellsNoModSeq(on select: Select, in account: AccountID) -> Bool {
        guard !self.has("CONDSTORE", in: account) else { return false }
        return select.condStore || select.resync != nil || self.capabilities.contains("CONDSTORE")
    }

    /// Whether the answer to STATUS has a HIGHESTMODSEQ of 0 (RFC 7162 §3.1.7).
    func tellsNoModSeq(on status: Status, in account: AccountID) -> Bool {
        status.items.contains(.highestModSeq) && !self.has("CONDSTORE", in: account)
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

    // MARK: - Results of searches

    /// Whether the server of the selected mailbox cannot answer RETURN as the client wrote it.
    private func translates(
        _ returns: [SearchReturn]?,
        extensions: SearchExtensions,
        selected: Selected
    ) -> Bool {
        guard let returns else { return false }
        guard self.has(extensions.results, in: selected.account) else { return true }
        return returns.contains(where: \.isPartial)
            && !self.has(extensions.context, in: selected.account)
    }

    /// Whether SAVE would be lost with RETURN.
    func losesSavedResult(
        _ returns: [SearchReturn]?,
        extensions: SearchExtensions,
        selected: Selected
    ) -> Bool {
        returns?.contains(.save) ?? false
            && self.translates(returns, extensions: extensions, selected: selected)
    }

    /// Takes out of RETURN what the server of the selected mailbox lacks.
    /// - Returns: what collects the numbers of a plain answer; nil where the server writes the response.
    func translate(
        _ returns: inout [SearchReturn]?,
        extensions: SearchExtensions,
        selected: Selected,
        isUID: Bool
    ) -> SearchResults? {
        guard let asked = returns,
            self.translates(asked, extensions: extensions, selected: selected)
        else {
            // CONTEXT is a hint (RFC 5267 §4.2).
            if !self.has(extensions.context, in: selected.account) {
                returns?.removeAll { $0 == .context }
            }
            return nil
        }
        returns = nil
        return SearchResults(asked, isUID: isUID)
    }

    /// Whether the gateway writes the ESEARCH response of the command that runs.
    var collectsResults: Bool {
        guard case .forwarding(let forwarding) = self.running else { return false }
        return forwarding.results != nil
    }
}

extension StatusResponse {
    /// Says that the mailbox has no mod-sequences, and leaves out what was not asked for.
    mutating func setNoModSeq(in items: [StatusItem]) {
        self.items.removeAll { $0.item == .highestModSeq || !items.contains($0.item) }
        self.items.append((item: .highestModSeq, value: .number(0)))
    }
}

extension ResponseCode {
    /// Whether it says something of mod-sequences.
    var isOfModSeqs: Bool {
        switch self {
        case .highestModSeq, .noModSeq: true
        default: false
        }
    }
}
