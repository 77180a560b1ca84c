package import Access
import Synchronization

/// The disk space that copies for Sent folders take while they wait: each message that has one takes
/// its part before it is sent, and is refused where there is none. So no copy is ever thrown away for
/// one that comes later, and a mail server that is away does not fill the disk.
package final class SentCopySpace: Sendable {
    package struct Limits: Equatable, Sendable {
        /// An account sends some hundred messages a day through others; a server may be away for days.
        package var copiesPerAccount: Int
        /// Ten messages of the largest size, or thousands of usual ones.
        package var octetsPerAccount: UInt64
        /// Each copy is a file that the next start looks at.
        package var copies: Int
        /// The disk that also has the store.
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

    /// Takes the place of one copy in each of some accounts, or none.
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

    /// Takes so many octets more for each of the copies that were begun, or none.
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

    /// Copies that an earlier run left count, whatever the limits are now.
    package func found(_ account: AccountID, octets: UInt64) {
        self.state.withLock { state in
            state.accounts[account, default: Used()].copies += 1
            state.accounts[account, default: Used()].octets += octets
            state.all.copies += 1
            state.all.octets += octets
        }
    }

    /// A copy is filed, or thrown away.
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
