import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Tagged answers, continuations and untagged status responses of the servers.
extension ClientSession {
    /// A server asks for the next segment of a command or for a message, or confirms IDLE (RFC 9051
    /// §7.6).
    ///
    /// - Throws: an error if nothing waits for a continuation.
    mutating func continuationReceived(_ account: AccountID) throws(SyntaxError) {
        if let upstream = self.upstreams[account], !upstream.segments.isEmpty {
            self.actions.append(.toUpstream(account, upstream.segments.removeFirst()))
            return
        }
        guard try self.deliver(.continued, from: account) else {
            throw SyntaxError(.expected("no continuation"), at: 0)
        }
    }

    /// A server has answered the command in flight, which is one of the client's or one of the
    /// gateway's own.
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
        // The server did not refuse an incomplete answer: the gateway did.
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
            // The command was answered before, and another one may wait for this server.
            return self.upstreamBecameIdle(account)
        }
        // Before the tagged answer, the server may report removed messages (RFC 9051 §7.5.1). So
        // the gateway sends no command of its own while the client has the mailbox selected.
        if !isIncomplete, self.selected?.account != account {
            self.requestFoldersForNotifications(of: account)
        }
    }

    /// An untagged OK, NO, BAD or BYE (RFC 9051 §7.1). Codes about the selected mailbox are written
    /// anew for the client; the text never reaches it. BYE is handled when the connection closes.
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
