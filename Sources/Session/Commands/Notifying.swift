import Access
import IMAP

import struct NIOCore.ByteBuffer

/// A NOTIFY on its way (RFC 5465): it is answered once each server concerned watches its mailboxes, or cannot.
final class Notifying: RunningCommand {
    let tag: ByteBuffer
    /// Accounts whose servers have not answered; nil until it is known which have to.
    private var waitingFor: Set<AccountID>?
    private var hasFailed = false

    init(tag: ByteBuffer) {
        self.tag = tag
    }

    /// It is known which servers have to answer; they are asked next.
    func wait(for accounts: Set<AccountID>) {
        self.waitingFor = accounts
    }

    /// A part of what was asked for cannot be watched.
    func lacksPart() {
        self.hasFailed = true
    }

    /// An account's server is in step with what the client asked for, or cannot be.
    func notified(
        _ account: AccountID,
        failed: Bool,
        in context: inout some CommandContext
    ) {
        guard self.waitingFor?.remove(account) != nil else { return }
        self.hasFailed = self.hasFailed || failed
        self.complete(in: &context)
    }

    /// Answers the command where no server has to answer any more.
    func complete(in context: inout some CommandContext) {
        guard self.waitingFor?.isEmpty ?? false else { return }
        if self.hasFailed { context.emit(Reply.untagged(.someUnavailable)) }
        context.finish(self.tag, text: .completed("NOTIFY"))
    }

    /// What servers answer is the session's, which goes on watching behind the command.
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
