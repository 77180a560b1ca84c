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

    // MARK: - Results of searches

    /// Whether the server of the selected mailbox cannot answer RETURN as the client wrote it.
    private func translates(
        _ returns: [SearchReturn]?,
        extensions: SearchExtensions,
        selected: SelectedMailbox
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
        selected: SelectedMailbox
    ) -> Bool {
        returns?.contains(.save) ?? false
            && self.translates(returns, extensions: extensions, selected: selected)
    }

    /// Takes out of RETURN what the server of the selected mailbox lacks.
    /// - Returns: what collects the numbers of a plain answer; nil where the server writes the response.
    func translate(
        _ returns: inout [SearchReturn]?,
        extensions: SearchExtensions,
        selected: SelectedMailbox,
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
