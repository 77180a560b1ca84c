import Access
import Cryptography
import Logging
import NIOCore
import Store
import Synchronization

/// Verified logins that outlast a restart, in a file beside the store (``KeptLoginTable``).
///
/// They take the place of the memory of the last minutes: a password that is used all the time is
/// checked once a day, so its entry is valid when the gateway restarts.
///
/// After a restart all users reconnect at once, and each check of a password costs 0.1 seconds of a
/// core. A kept login needs none.
///
/// Safe to use from any thread.
final class KeptLogins: Sendable {
    /// The time between two looks for changes that are not in the file. A gateway that is killed
    /// loses the logins since then: their passwords are checked again.
    static let interval = TimeAmount.minutes(1)

    private struct State {
        var table: KeptLoginTable
        /// Whether the file lacks an entry.
        var isChanged = false
        /// Whether the last attempt to write the file failed.
        var hasFailed = false
    }

    private let file: KeptLoginsFile
    private let state: Mutex<State>
    private let logger: Logger
    private let now: @Sendable () -> Moment

    /// - Parameters:
    ///   - key: derived from the master key for this purpose only.
    ///   - now: the clock; a test replaces it.
    init(
        file: KeptLoginsFile,
        key: SymmetricKey,
        logger: Logger,
        now: @escaping @Sendable () -> Moment = { .current }
    ) {
        self.file = file
        self.state = Mutex(State(table: KeptLoginTable(key: key)))
        self.logger = logger
        self.now = now
    }

    /// Whether the password of a claim was right within a day, with the same stored record.
    func contains(_ claim: PasswordClaim) -> Bool {
        self.state.withLock { $0.table.contains(claim, at: self.now()) }
    }

    /// Adds a login whose password was right.
    func add(_ claim: PasswordClaim) {
        self.state.withLock { state in
            state.table.add(claim, at: self.now())
            state.isChanged = true
        }
    }

    /// Reads the file, before clients are served. A file that cannot be trusted is ignored, and
    /// logged with the remedy. Blocks.
    func load() {
        do {
            guard let octets = try self.file.read(maximum: KeptLoginTable.maximumOctets) else {
                return
            }
            try self.state.withLock { try $0.table.read(octets, at: self.now()) }
        } catch let problem as KeptLoginsFile.Problem {
            self.ignore("\(problem)")
        } catch {
            self.ignore("\(self.file.damaged)")
        }
    }

    private func ignore(_ reason: String) {
        self.logger.warning(
            "kept logins are ignored, and all passwords are checked",
            metadata: ["reason": "\(reason)"]
        )
    }

    /// Writes the file if it lacks an entry. A failure is logged once, until the next success.
    /// Blocks.
    func save() {
        let table: KeptLoginTable? = self.state.withLock { state in
            guard state.isChanged else { return nil }
            state.isChanged = false
            return state.table
        }
        guard let table else { return }
        let problem: KeptLoginsFile.Problem?
        do throws(KeptLoginsFile.Problem) {
            try self.file.write(table.encoded(at: self.now()))
            problem = nil
        } catch {
            problem = error
        }
        let hadFailed = self.state.withLock { state in
            defer { state.hasFailed = problem != nil }
            if problem != nil { state.isChanged = true }
            return state.hasFailed
        }
        guard let problem, !hadFailed else { return }
        self.logger.warning(
            "logins are not kept for the next start",
            metadata: ["reason": "\(problem)"]
        )
    }
}
