package import Access
import Synchronization

/// A quota for the disk space of copies that wait to be stored in Sent folders.
///
/// A message with a copy reserves its space before it is sent, and is refused if no space is left. So no copy is ever
/// discarded in favour of a later one, and an unavailable mail server does not fill the disk. Thread-safe.
package final class SentCopySpace: Sendable {
    package struct Limits: Equatable, Sendable {
        /// Copies that wait for one account. Other users send a few hundred messages a day as one account, and a
        /// server may be unavailable for days.
        package var copiesPerAccount: Int
        /// Octets that wait for one account: ten messages of the largest size, or thousands of average ones.
        package var octetsPerAccount: UInt64
        /// Copies that wait for all accounts. Each copy is a file that the gateway reads at its next start.
        package var copies: Int
        /// Octets that wait for all accounts. The store is on the same disk.
        package var octets: UInt64

        package init(
            copiesPerAccount: Int = 1_000,
            octetsPerAccount: UInt64 = 1_024 * 1_024 * 1_024,
            copies: Int = 10_000,
            octets: UInt64 = 8 * 1_024 * 1_024 * 1_024
        ) {
            self.copiesPerAccount = copiesPerAccount
            self.octetsPerAccount = octetsPerAccount
            self.copies = copies
            self.octets = octets
        }
    }

    /// The reserved space of one account, or of all accounts.
    private struct Used {
        var copies = 0
        var octets: UInt64 = 0
    }

    private struct State {
        var accounts: [AccountID: Used] = [:]
        var all = Used()
    }

    private let limits: Limits
    private let state = Mutex(State())

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Reserves one copy in each of the accounts.
    ///
    /// - Returns: false if an account or the total has no room; nothing is reserved then.
    package func begin(_ accounts: [AccountID]) -> Bool {
        self.state.withLock { state in
            let hasRoom = accounts.allSatisfy { account in
                let used = state.accounts[account] ?? Used()
                return used.copies < self.limits.copiesPerAccount
                    && used.octets < self.limits.octetsPerAccount
            }
            guard hasRoom, state.all.copies + accounts.count <= self.limits.copies,
                state.all.octets < self.limits.octets
            else { return false }
            for account in accounts { state.accounts[account, default: Used()].copies += 1 }
            state.all.copies += accounts.count
            return true
        }
    }

    /// Reserves more octets for a copy in each of the accounts.
    ///
    /// - Returns: false if an account or the total has no room; nothing is reserved then.
    package func extend(_ accounts: [AccountID], by octets: Int) -> Bool {
        let octets = UInt64(max(octets, 0))
        return self.state.withLock { state in
            let hasRoom = accounts.allSatisfy { account in
                let used = state.accounts[account] ?? Used()
                return used.octets + octets <= self.limits.octetsPerAccount
            }
            let sum = octets * UInt64(accounts.count)
            guard hasRoom, state.all.octets + sum <= self.limits.octets else { return false }
            for account in accounts { state.accounts[account, default: Used()].octets += octets }
            state.all.octets += sum
            return true
        }
    }

    /// Counts a copy that an earlier run left on the disk, even if it exceeds the limits.
    package func found(_ account: AccountID, octets: UInt64) {
        self.state.withLock { state in
            state.accounts[account, default: Used()].copies += 1
            state.accounts[account, default: Used()].octets += octets
            state.all.copies += 1
            state.all.octets += octets
        }
    }

    /// Releases the space of a copy that was stored in the Sent folder or discarded.
    ///
    /// - Parameter octets: the octets that were reserved for this copy.
    package func end(_ account: AccountID, octets: UInt64) {
        self.state.withLock { state in
            var used = state.accounts[account] ?? Used()
            used.copies = max(used.copies - 1, 0)
            used.octets -= min(octets, used.octets)
            state.accounts[account] = used.copies == 0 ? nil : used
            state.all.copies = max(state.all.copies - 1, 0)
            state.all.octets -= min(octets, state.all.octets)
        }
    }
}
