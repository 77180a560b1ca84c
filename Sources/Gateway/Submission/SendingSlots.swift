import Access
import NIOCore
import Synchronization

/// Limits the concurrent connections that send through one mailbox at Exchange.
///
/// Exchange Online accepts three connections of a mailbox and refuses the fourth (`432 4.3.2
/// Concurrent connections limit exceeded`), so the fourth waits here. Users take turns: one user
/// with many connections does not lock others out. Safe to use from any event loop.
final class SendingSlots: Sendable {
    /// The state of one mailbox. It exists only while connections use it, so the table does not
    /// grow with the number of accounts.
    private struct Mailbox {
        var inUse = 0
        var waiting = FairQueue<UserID?, EventLoopPromise<Void>>()
    }

    /// The limit of Exchange Online.
    private static let connectionsPerMailbox = 3
    /// How long a connection waits for a slot. A client waits at least as long for the response to
    /// `MAIL` (RFC 5321 §4.5.3.2.2 asks for five minutes).
    private static let patience = TimeAmount.seconds(60)

    /// No slot became free in time.
    struct NoneFree: Error {}

    /// Only mailboxes with a used slot.
    private let mailboxes = Mutex<[AccountID: Mailbox]>([:])

    /// Waits for a slot. Each success must be followed by ``release(_:)``.
    /// - Parameter user: the user who sends; nil for the gateway itself.
    /// - Returns: a future on `loop`; fails with ``NoneFree``.
    func acquire(
        _ account: AccountID,
        for user: UserID?,
        on loop: any EventLoop
    ) -> EventLoopFuture<Void> {
        let promise: EventLoopPromise<Void>? = self.mailboxes.withLock { mailboxes in
            guard mailboxes[account, default: Mailbox()].inUse >= Self.connectionsPerMailbox else {
                mailboxes[account, default: Mailbox()].inUse += 1
                return nil
            }
            let promise = loop.makePromise(of: Void.self)
            mailboxes[account]?.waiting.append(promise, from: user)
            return promise
        }
        guard let promise else { return loop.makeSucceededVoidFuture() }
        loop.scheduleTask(in: Self.patience) { self.giveUp(account, user: user, promise: promise) }
        return promise.futureResult
    }

    /// Releases a slot, or passes it to the next that waits.
    func release(_ account: AccountID) {
        let next = self.mailboxes.withLock { mailboxes -> EventLoopPromise<Void>? in
            guard var mailbox = mailboxes[account] else { return nil }
            defer { mailboxes[account] = mailbox.inUse == 0 ? nil : mailbox }
            // The slot stays in use: it passes to the next one.
            if let next = mailbox.waiting.next() { return next }
            mailbox.inUse -= 1
            return nil
        }
        next?.succeed()
    }

    /// Ends a wait whose time has passed; a slot that was acquired before is kept.
    private func giveUp(
        _ account: AccountID,
        user: UserID?,
        promise: EventLoopPromise<Void>
    ) {
        let waiting = self.mailboxes.withLock { mailboxes in
            mailboxes[account]?.waiting.remove(from: user) {
                $0.futureResult === promise.futureResult
            }
        }
        waiting?.fail(NoneFree())
    }
}
