import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The capabilities that a server needs for the RETURN options of SEARCH or SORT.
struct SearchExtensions {
    /// Results as an ESEARCH response: ESEARCH (RFC 4731) or ESORT (RFC 5267).
    var results: String
    /// Partial results and updates: CONTEXT=SEARCH or CONTEXT=SORT (RFC 5267).
    var context: String
}

/// Commands for servers that lack a capability. The client is offered what the personal account's
/// server has. For another server, a command is translated, answered as its RFC specifies for such
/// a mailbox, or refused with the name of the missing capability.
extension ClientSession {
    /// The answer to a command that needs a capability which an account's server lacks; nil if the
    /// server has all of them.
    func refusal(of capabilities: [String], in account: AccountID) -> ReplyText? {
        guard let lacking = capabilities.first(where: { !self.has($0, in: account) }) else {
            return nil
        }
        // A mailbox without mod-sequences is answered BAD (RFC 7162 §3.1.2.2, §3.2.6).
        return lacking == "CONDSTORE" || lacking == "QRESYNC" ? .badNoModSeq : .lacking(lacking)
    }

    // MARK: - Mod-sequences

    /// Whether SELECT reports that the mailbox has no mod-sequences. It does for every SELECT if
    /// CONDSTORE is announced and the mailbox's server lacks it (RFC 7162 §3.1.2.2).
    mutating func tellsNoModSeq(on select: Select, in account: AccountID) -> Bool {
        guard !self.has("CONDSTORE", in: account) else { return false }
        return select.condStore || select.resync != nil || self.capabilities.contains("CONDSTORE")
    }

    /// Whether the answer to STATUS contains a HIGHESTMODSEQ of 0 (RFC 7162 §3.1.7).
    func tellsNoModSeq(on status: Status, in account: AccountID) -> Bool {
        status.items.contains(.highestModSeq) && !self.has("CONDSTORE", in: account)
    }

    // MARK: - Results of searches

    /// Whether the server of the selected mailbox cannot answer these return options.
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

    /// Whether the client asks for SAVE, and the translated command could not save the result at
    /// the server.
    func losesSavedResult(
        _ returns: [SearchReturn]?,
        extensions: SearchExtensions,
        selected: SelectedMailbox
    ) -> Bool {
        returns?.contains(.save) ?? false
            && self.translates(returns, extensions: extensions, selected: selected)
    }

    /// Removes the return options that the server of the selected mailbox lacks.
    ///
    /// - Returns: the collector that makes the ESEARCH response from a plain answer; nil if the
    ///   server sends the response itself.
    func translate(
        _ returns: inout [SearchReturn]?,
        extensions: SearchExtensions,
        selected: SelectedMailbox,
        isUID: Bool
    ) -> SearchResults? {
        guard let asked = returns,
            self.translates(asked, extensions: extensions, selected: selected)
        else {
            // CONTEXT is a hint, and a server may ignore it (RFC 5267 §4.2).
            if !self.has(extensions.context, in: selected.account) {
                returns?.removeAll { $0 == .context }
            }
            return nil
        }
        returns = nil
        return SearchResults(asked, isUID: isUID)
    }

    /// Whether the gateway writes the ESEARCH response of the running command.
    var collectsResults: Bool {
        guard case .forwarding(let forwarding) = self.running else { return false }
        return forwarding.results != nil
    }
}
