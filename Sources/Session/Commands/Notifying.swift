import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A running NOTIFY (RFC 5465). It is completed once each server concerned has accepted or refused its own NOTIFY.
final class Notifying: RunningCommand {
    let tag: ByteBuffer
    /// Accounts whose servers have not answered yet; nil until ``wait(for:)`` is called.
    private var waitingFor: Set<AccountID>?
    private var hasFailed = false

    init(tag: ByteBuffer) {
        self.tag = tag
    }

    /// Sets the accounts whose servers must answer.
    func wait(for accounts: Set<AccountID>) {
        self.waitingFor = accounts
    }

    /// Some requested mailboxes cannot be watched. The client is told so at the completion.
    func lacksPart() {
        self.hasFailed = true
    }

    /// An account's server now watches the requested mailboxes, or cannot.
    func notified(
        _ account: AccountID,
        failed: Bool,
        in context: inout some CommandContext
    ) {
        guard self.waitingFor?.remove(account) != nil else { return }
        self.hasFailed = self.hasFailed || failed
        self.complete(in: &context)
    }

    /// Completes the command if no server has to answer any more.
    func complete(in context: inout some CommandContext) {
        guard self.waitingFor?.isEmpty ?? false else { return }
        if self.hasFailed { context.emit(Reply.untagged(.someUnavailable)) }
        context.finish(self.tag, text: .completed("NOTIFY"))
    }

    /// Takes only lost connections. The session itself handles the servers' answers, because it keeps watching after
    /// the command.
    func received(
        _ event: UpstreamEvent,
        from account: AccountID,
        in context: inout some CommandContext
    ) throws(SyntaxError) -> Bool {
        guard case .lost = event else { return false }
        self.notified(account, failed: true, in: &context)
        return true
    }
}
