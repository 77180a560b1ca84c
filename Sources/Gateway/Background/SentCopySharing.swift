import Foundation
import Logging
import NIOCore
import Store
import Synchronization

/// Keeps the waiting copies of sent messages in the database that several nodes share, besides the
/// files of this node.
///
/// A file with a marker (``marker``) beside it was stored in the database before its message went
/// out: another node may file it after this one's death, so this node files it only while its row
/// says so. A file without a marker was never offered to other nodes. One thread makes all
/// changes, in order: what the database says and what this node remembers never differ for it.
final class SentCopySharing: Sendable {
    /// The suffix of the marker: `ACCOUNT.UUID.shared`. The file is empty.
    static let marker = "shared"
    /// The suffix of a copy that was filed, and whose row is still to be deleted.
    static let filed = "filed"
    /// The time between two log lines about a database that takes no change. Many copies may wait.
    private static let logInterval = Duration.seconds(60)

    /// Whether this node may file a copy.
    enum Verdict {
        case file
        /// The database does not know the copy, because it is an older one. The copy may have been
        /// filed.
        case fileAgain
        /// Another node took the copy over, or filed it.
        case lost
        /// The database cannot be used.
        case later
        /// The copy has no file here any more, or the file was fetched anew: the attempt ends.
        case gone
    }

    /// Why a row is not needed any more.
    enum Removal {
        /// The message was not sent, or its file was removed.
        case dropped
        /// The copy was filed, and no other node has a file of it unless it took the copy over.
        case filed
        /// The copy was filed, and another node may have a file of it: its name stays.
        case filedElsewhere
    }

    /// A copy that has a file here.
    struct Known {
        var copy: StoredSentCopy
        /// Whether it has a marker.
        var isShared = false
        /// Whether an attempt to store it was made, so that there may be a row.
        var mayHaveRow = false
        /// Whether its message went out.
        var isSent = false
        /// Whether the database knows that the message went out.
        var isConfirmed = false
        /// Whether it is being filed. Meanwhile it is not offered to other nodes.
        var isFiling = false
        /// Whether another node may have a file of it.
        var wasElsewhere = false
        /// Whether another node had it after the attempt to file it began.
        var isDoubtful = false
        /// The number of the fetch that wrote its file; 0 for a file of this node. Attempts of an
        /// earlier file end.
        var generation = 0
    }

    struct State {
        var known: [String: Known] = [:]
        /// Names of rows to delete, or to mark as filed.
        var removals: [String: Removal] = [:]
        /// How many copies were fetched.
        var fetches = 0
        /// When a failure of the database was logged last.
        var logged: ContinuousClock.Instant?
        /// Names of rows whose message's outcome is unknown.
        var unknown: Set<String> = []
        var isPolling = false
        /// Whether nothing more is fetched.
        var isStopped = false
        /// Nil before the start.
        var permissions: CurrentPermissions?
    }

    let store: PermissionStore
    let folder: URL
    let logger: Logger
    /// The only thread that uses the database for copies.
    let writer = BackgroundWriter()
    let state = Mutex(State())

    /// - Parameter folder: the folder of this node's files.
    init(store: PermissionStore, folder: URL, logger: Logger) {
        self.store = store
        self.folder = folder
        self.logger = logger
    }

    /// Starts the thread.
    /// - Parameter permissions: say whether the store is refused. Then nothing is written to it.
    func start(_ permissions: CurrentPermissions) {
        self.state.withLock { $0.permissions = permissions }
        self.writer.start()
    }

    /// Waits for what was asked for.
    func stop() async throws {
        self.state.withLock { $0.isStopped = true }
        try await self.writer.stop()
    }

    /// Whether the database can be used, as far as this node knows. It may still fail to answer.
    var isAvailable: Bool {
        let permissions = self.state.withLock(\.permissions)
        return permissions.map { !$0.isRestricted(by: .store) } ?? false
    }

    func file(_ name: String, suffix: String) -> URL {
        self.folder.appendingPathComponent("\(name).\(suffix)")
    }

    /// Changes what is remembered of a copy.
    func change(_ name: String, body: (inout Known) -> Void) {
        self.state.withLock { state in
            guard var known = state.known[name] else { return }
            body(&known)
            state.known[name] = known
        }
    }

    func known(_ name: String) -> Known? { self.state.withLock { $0.known[name] } }

    func failed(_ change: String, of copy: String, error: any Error) {
        let isDue = self.state.withLock { state in
            let now = ContinuousClock.now
            guard state.logged.map({ now - $0 >= Self.logInterval }) ?? true else { return false }
            state.logged = now
            return true
        }
        guard isDue else { return }
        self.logger.warning(
            "the database takes no change of a sent copy; the gateway tries again",
            metadata: ["change": "\(change)", "copy": "\(copy)", "error": "\(error)"]
        )
    }

    // MARK: - Messages in transit

    /// Stores copies before their message goes out.
    /// - Parameters:
    ///   - suffix: of their files.
    ///   - done: receives on the event loop whether all are stored. If not, they are stored later.
    func share(
        _ copies: [StoredSentCopy],
        suffix: String,
        on loop: any EventLoop,
        done: @escaping @Sendable (Bool) -> Void
    ) {
        self.writer.submit { [self] in
            // A copy without a file was dropped before its turn.
            let present = copies.filter { copy in
                let file = self.file(copy.name, suffix: suffix)
                return FileManager.default.fileExists(atPath: file.path)
            }
            self.state.withLock { state in
                for copy in present { state.known[copy.name] = Known(copy: copy) }
            }
            let isShared = present.allSatisfy { copy in
                guard self.isAvailable else { return false }
                do {
                    try self.share(copy, from: self.file(copy.name, suffix: suffix))
                    return true
                } catch {
                    self.failed("store", of: copy.name, error: error)
                    return false
                }
            }
            loop.execute { done(isShared && present.count == copies.count) }
        }
    }

    /// Stores a copy, and writes its marker.
    func share(_ copy: StoredSentCopy, from file: URL) throws {
        self.change(copy.name) { $0.mayHaveRow = true }
        try self.store.storeSentCopy(copy, from: file)
        try self.mark(copy.name)
        self.change(copy.name) { $0.isShared = true }
    }

    /// Writes a marker to the disk.
    func mark(_ name: String) throws {
        try Data().write(to: self.file(name, suffix: Self.marker))
        try SentCopy.syncFolder(self.folder)
    }

    /// The message of copies went out: the database says so before the client gets its reply.
    /// - Parameter done: called on the event loop, also if the database cannot be used.
    func sent(_ names: [String], on loop: any EventLoop, done: @escaping @Sendable () -> Void) {
        self.writer.submit { [self] in
            for name in names {
                self.change(name) { $0.isSent = true }
                if self.known(name)?.isShared ?? false { _ = self.confirm(name) }
            }
            loop.execute(done)
        }
    }

    /// Confirms that this node files a copy.
    func confirm(_ name: String) -> Verdict {
        guard self.isAvailable else { return .later }
        do {
            switch try self.store.confirmSentCopy(name) {
            case .own:
                self.change(name) { $0.isConfirmed = true }
                return .file
            case .other:
                return .lost
            case .none:
                // It is stored again later.
                try FileManager.default.removeItem(at: self.file(name, suffix: Self.marker))
                try SentCopy.syncFolder(self.folder)
                self.change(name) { known in
                    known.isShared = false
                    known.isConfirmed = false
                }
                return .fileAgain
            }
        } catch {
            self.failed("confirm", of: name, error: error)
            return .later
        }
    }

    /// The message of copies was refused, or their files were removed.
    /// - Parameter generation: the fetch that wrote the files (``Known/generation``).
    func drop(_ names: [String], generation: Int = 0) {
        self.writer.submit { [self] in
            for name in names where self.known(name)?.generation == generation {
                self.remove(name, because: .dropped)
            }
        }
    }
}
