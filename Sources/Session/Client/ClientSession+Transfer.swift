package import Access
import IMAP

/// COPY and MOVE between accounts, as far as others see them (``Transferring``).
extension ClientSession {
    /// Whether messages pass between two servers: the session is not idle, however silent its
    /// client is.
    package var isTransferring: Bool {
        if case .transferring = self.running { return true }
        return false
    }

    /// The account whose server has to take what this one's sends, if messages pass from it.
    package func transferDestination(from account: AccountID) -> AccountID? {
        guard case .transferring(let transferring) = self.running,
            transferring.plan.source == account, !transferring.plan.isLocal
        else { return nil }
        return transferring.plan.target
    }

    /// Whether the next octets of this account's server are wanted now.
    package func wantsOctets(from account: AccountID) -> Bool {
        guard !(self.upstreams[account]?.isReadDeferred ?? false) else { return false }
        guard case .transferring(let transferring) = self.running else { return true }
        return transferring.plan.source != account || !transferring.isSourcePaused
    }

    /// The time for a word to the client about a transfer.
    package mutating func reportDue(at now: Moment) {
        self.now = now
        guard case .transferring(let transferring) = self.running else { return }
        transferring.reportDue(in: &self)
    }

    /// The journal of transfers was written, or could not be.
    package mutating func journalAnswered(_ answer: JournalAnswer) {
        if case .transferring(let transferring) = self.running {
            return transferring.journalAnswered(answer, in: &self)
        }
        // The session ended in between: nothing was begun.
        if case .recorded(let entry?) = answer { self.actions.append(.journal(.forget(entry))) }
    }
}
