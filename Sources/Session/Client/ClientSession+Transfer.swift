package import Access
import IMAP

/// COPY and MOVE between accounts, as seen from outside of the session (``Transferring``).
extension ClientSession {
    /// Whether messages are being transferred. If so, the session is not idle, even if its client
    /// is silent.
    package var isTransferring: Bool {
        if case .transferring = self.running { return true }
        return false
    }

    /// The account that receives the messages read from this one; nil if no messages are
    /// transferred between servers from it.
    package func transferDestination(from account: AccountID) -> AccountID? {
        guard case .transferring(let transferring) = self.running,
            transferring.plan.source == account, !transferring.plan.isLocal
        else { return nil }
        return transferring.plan.target
    }

    /// Whether the session accepts the next octets of this account's server now (back-pressure).
    package func wantsOctets(from account: AccountID) -> Bool {
        guard !(self.upstreams[account]?.isReadDeferred ?? false) else { return false }
        guard case .transferring(let transferring) = self.running else { return true }
        return transferring.plan.source != account || !transferring.isSourcePaused
    }

    /// The report timer has fired: the client gets a progress response (RFC 9585).
    package mutating func reportDue(at now: Moment) {
        self.now = now
        guard case .transferring(let transferring) = self.running else { return }
        transferring.reportDue(in: &self)
    }

    /// The journal of transfers has processed a request, or could not.
    package mutating func journalAnswered(_ answer: JournalAnswer) {
        if case .transferring(let transferring) = self.running {
            return transferring.journalAnswered(answer, in: &self)
        }
        // The command ended before the journal answered, and no transfer was begun.
        if case .recorded(let entry?) = answer { self.actions.append(.journal(.forget(entry))) }
    }
}
