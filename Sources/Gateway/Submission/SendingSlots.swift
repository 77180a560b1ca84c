import Access
import NIOCore
import Synchronization

/// How many connections at once send through one mailbox at Exchange.
///
/// Exchange Online takes three for a mailbox and refuses the fourth (`432 4.3.2 Concurrent
/// connections limit exceeded`), so that a fourth waits here for one of them to end. Users take turns: one with many
/// connections keeps nobody else out.
final class SendingSlots: Sendable {
    private struct Mailbox {
        var inUse = 0
        var waiting = FairQueue<UserID?, EventLoopPromise<Void>>()
    }

    private static let connectionsPerMailbox = 3
    /// A client waits this long for an answer to `MAIL` without giving up (RFC 5321 §4.5.3.2.2
    /// asks for five minutes).
    private static let patience = TimeAmount.seconds(60)

    struct NoneFree: Error {}

    private let mailboxes = Mutex<[AccountID: Mailbox]>([:])

    /// Each that succeeds is given back by ``release(_:)``.
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

    func release(_ account: AccountID) {
        let next = self.mailboxes.withLock { mailboxes -> EventLoopPromise<Void>? in
            guard var mailbox = mailboxes[account] else { return nil }
            defer { mailboxes[account] = mailbox.inUse == 0 ? nil : mailbox }
            // The slot goes from one to the other.
            if let next = mailbox.waiting.next() { return next }
            mailbox.inUse -= 1
            return nil
        }
        next?.succeed()
    }

    /// Whoever still waits is told that there is none; whoever has got one keeps it.
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
