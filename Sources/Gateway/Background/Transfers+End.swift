import Access
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// The end of a recovery: the journal entry is deleted, or the next attempt is scheduled.
extension Transfers {
    /// The recovery has ended: removes the journal entry.
    func finished(_ interrupted: Interrupted, resolution: TransferResolution) {
        self.logger.notice(
            "an interrupted transfer was recovered",
            metadata: ["entry": "\(interrupted.entry)", "end": "\(resolution)"]
        )
        self.write(
            { try $0.forgetTransfer(interrupted.entry) },
            on: interrupted.loop,
            answer: { self.ended(interrupted, resolution: resolution, isWritten: $0 != nil) }
        )
    }

    /// Copies stay, or may stay: `doctor` shows them to the administrator.
    func remains(_ interrupted: Interrupted, transfer: Transfer, messages: Int) {
        let snapshot = self.upstream.withLock { $0 }?.permissions.current
        let account = snapshot?.access.accounts[transfer.target.account]?.address.description
        self.logger.warning(
            "an interrupted transfer may have left copies, which cannot be identified",
            metadata: [
                "entry": "\(interrupted.entry)", "account": "\(account ?? "?")",
                "folder": "\(transfer.target.folder)", "messages": "\(messages)",
            ]
        )
        self.write(
            { try $0.leaveTransfer(interrupted.entry, messages: messages) },
            on: interrupted.loop,
            answer: { self.ended(interrupted, resolution: .remains, isWritten: $0 != nil) }
        )
    }

    /// A server, or the journal, cannot be used now.
    func tryLater(_ interrupted: Interrupted) {
        var next = interrupted
        next.tell(.postponed)
        self.logger.warning(
            "an interrupted transfer cannot be recovered now; the gateway tries again",
            metadata: ["entry": "\(interrupted.entry)"]
        )
        next.attempt += 1
        next.left = 0
        self.resolve(next, in: Self.retries[min(interrupted.attempt, Self.retries.count - 1)])
    }

    /// Continues the recovery after a while, unless the gateway stops.
    func resolve(_ interrupted: Interrupted, in time: TimeAmount) {
        interrupted.loop.scheduleTask(in: time) { [self] in
            guard self.upstream.withLock({ $0 }) != nil else { return }
            self.resolve(interrupted)
        }
    }
}
