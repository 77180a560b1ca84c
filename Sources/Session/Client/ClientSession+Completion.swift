import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Answers of servers to the command in flight, and what they say besides.
extension ClientSession {
    /// The server is ready for the next segment of a command, for a message, or is idling.
    mutating func continuationReceived(_ account: AccountID) throws(SyntaxError) {
        if let upstream = self.upstreams[account], !upstream.segments.isEmpty {
            self.actions.append(.toUpstream(account, upstream.segments.removeFirst()))
            return
        }
        guard try self.deliver(.continued, from: account) else {
            throw SyntaxError(.expected("no continuation"), at: 0)
        }
    }

    /// The command in flight is answered.
    mutating func completionReceived(
        _ account: AccountID,
        condition: Condition,
        text: ByteBuffer
    ) throws(SyntaxError) {
        if condition != .ok, self.snapshot.accounts[account]?.kind == .exchange {
            if Quirks.isTokenOver(text) { return self.connectionEnded(account) }
            if let failure = Quirks.failure(text) {
                return self.serverFailed(account, failure: failure)
            }
        }
        self.upstreams[account]?.inFlight = nil
        let isIncomplete =
            condition == .ok && self.upstreams[account]?.isAnswerIncomplete ?? false
        self.upstreams[account]?.isAnswerIncomplete = false
        self.upstreams[account]?.unreadableLines = 0
        let condition = isIncomplete ? .no : condition
        let code =
            text.readableBytes > 0 && text.getInteger(at: text.readerIndex) == UInt8(ascii: "[")
            ? (try? ResponseText(text))?.code : nil
        // What is incomplete the server did not refuse.
        if !isIncomplete {
            self.refusalReceived(account, condition: condition, code: code, text: text)
        }
        defer { self.serverRefusal = nil }
        if let housekeeping = self.upstreams[account]?.housekeeping {
            self.upstreams[account]?.housekeeping = nil
            self.upstreams[account]?.segments = []
            if housekeeping == .notify { self.notifyCompleted(account, condition: condition) }
            if housekeeping == .folders {
                self.folderListingCompleted(account, condition: condition)
            }
            return self.upstreamBecameIdle(account)
        }
        let completion = Completion(condition: condition, code: code, isIncomplete: isIncomplete)
        guard try self.deliver(.completed(completion), from: account) else {
            // What asked for it was answered before; something else may wait for the server.
            return self.upstreamBecameIdle(account)
        }
        // Behind a command, a server may tell of removed messages (RFC 9051 §7.5.1): not where the client
        // has the mailbox selected and expects none.
        if !isIncomplete, self.selected?.account != account {
            self.requestFoldersForNews(of: account)
        }
    }

    /// An untagged OK, NO, BAD or BYE: the codes that speak of the selected mailbox pass, newly
    /// written; a BYE announces a close, which is dealt with when it comes.
    mutating func statusReceived(
        _ account: AccountID,
        condition: Condition,
        text: ByteBuffer
    ) throws(SyntaxError) {
        if condition == .bye, self.snapshot.accounts[account]?.kind == .exchange,
            Quirks.isTokenOver(text)
        {
            self.upstreams[account]?.isTokenOver = true
            return
        }
        guard let code = self.code(in: text, from: account) else { return }
        if condition == .no, case .noUpdate(let tag) = code {
            return self.updateRefused(tag, account: account)
        }
        guard condition == .ok else { return }
        if code == .notificationOverflow { return self.stopWatching() }
        guard try !self.deliver(.untagged(.status(code)), from: account),
            let selected = self.selected, selected.account == account
        else { return }
        if case .copyUID = code {
            guard case .forwarding(let forwarding) = self.running,
                forwarding.mayShowCopyUID(in: &self)
            else { return }
        }
        let rights = self.rights(in: selected.folder, of: account)
        guard let shown = self.selected?.statusReceived(code, rights: rights) else { return }
        self.emit(Reply.untagged(.status(shown)))
    }
}
