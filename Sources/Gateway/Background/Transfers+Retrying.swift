import Access
import NIOCore
import Session
import Store
import Synchronization

/// The deletion of journal entries of transfers that have ended or have not begun, when the journal
/// cannot be used at first. Nobody may move the messages of an entry.
extension Transfers {
    /// Answers the session, and tries again if the journal still has the entry.
    func ended(
        _ interrupted: Interrupted,
        resolution: TransferResolution,
        isWritten: Bool
    ) {
        var next = interrupted
        next.tell(resolution)
        next.hasEnded = true
        if !isWritten { self.tryLater(next) }
    }

    /// Looks this often for an entry that is missing: the database may receive the end of a
    /// transaction after the network was cut.
    private static let looks = 2

    /// The entry of a transfer that has ended could not be deleted, or nobody knows whether the
    /// entry of one that has not begun was written: deletes it when the journal can be used. The
    /// session itself asks for the recovery of a copy.
    func completeLater(_ entry: Int64, on loop: any EventLoop, attempt: Int) {
        loop.scheduleTask(in: Self.retries[min(attempt, Self.retries.count - 1)]) { [self] in
            guard self.upstream.withLock({ $0 }) != nil else { return }
            self.write({ try $0.journalEntry(entry) }, on: loop) { found in
                switch found {
                case nil: self.completeLater(entry, on: loop, attempt: attempt + 1)
                case .missing where attempt + 1 < Self.looks:
                    self.completeLater(entry, on: loop, attempt: attempt + 1)
                case .own(let transfer) where transfer.state == .copied || transfer.copies.isEmpty:
                    self.resolve(Interrupted(entry: entry, interruptedState: nil, loop: loop))
                case .own, .missing, .takenOver: break
                }
            }
        }
    }
}
