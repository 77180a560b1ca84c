import Access
import Foundation
import GRDB
import Synchronization

/// A store in one SQLite file. Safe to use from several threads; GRDB's pool serializes writes.
///
/// Commands write while a gateway reads, in other processes. A file that replaces the open one is
/// adopted if it continues what is in force.
final class SQLiteEngine: StoreEngine {
    /// What is known of a file at the store's path that is not the open one.
    struct Replacement: Sendable {
        /// The files at the last look. Files that differ from these may still be being written.
        var seen: [FileStamp] = []
        /// Why the file that was seen last is refused; nil while it is unknown.
        var refusal: StoreRefusal?
        /// The file that is refused until an administrator confirms it.
        var waiting: AcceptedStore?
        /// Whether the write-ahead log and the shared index of the open database were removed.
        var hasRetired = false
        /// The file that an administrator confirmed.
        var accepted: AcceptedStore?
    }

    /// The open database and its files; replaced when another file takes its place.
    let opened: Mutex<SQLiteDatabase>
    /// The state of a replacement that is under way.
    let replacement = Mutex(Replacement())
    /// The state of the open file when it was read last; nil until the first read.
    let inForce = Mutex<StoreState?>(nil)
    /// Whether this process wrote to the open database.
    private let hasWritten = Atomic(false)
    /// The path of the database file.
    let path: String

    /// The open database.
    var current: SQLiteDatabase { self.opened.withLock { $0 } }

    /// Opens a store and migrates its tables to this version. A new file gets mode 0600.
    /// - Parameter creates: Whether to create a store if there is no file.
    /// - Throws: ``StoreError`` of kind `unusable` if the file cannot be opened, is not a
    ///   store, or belongs to a newer version.
    init(path: String, creates: Bool) throws {
        self.path = path
        do {
            let exists = FileManager.default.fileExists(atPath: path)
            guard exists || creates else {
                throw StoreError.unusable(Self.missing(path))
            }
            // SQLite gives its other files the mode of this one.
            if !exists {
                _ = FileManager.default.createFile(
                    atPath: path,
                    contents: nil,
                    attributes: [.posixPermissions: 0o600]
                )
            }
            let opened = try SQLiteDatabase.open(path, generation: 0)
            try opened.migrate(path)
            self.opened = Mutex(opened)
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError.unusable(
                "\(path) cannot be opened as a store (\(error)): check the path and its owner, or "
                    + "restore it from your backup"
            )
        }
    }

    /// The remedy for a file that does not exist, or that this user cannot reach.
    private static func missing(_ path: String) -> String {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let manager = FileManager.default
        return manager.fileExists(atPath: folder) && !manager.isExecutableFile(atPath: folder)
            ? "you may not enter \(folder), the folder of the store: become root, or use sudo"
            : "no store at \(path): gatepost init, or restore a backup"
    }

    /// A command ends with its store. While a gateway has the file open, SQLite would leave what
    /// the command wrote in the write-ahead log.
    deinit {
        if self.hasWritten.load(ordering: .relaxed) { self.current.emptyLog() }
    }

    /// Empties the write-ahead log and closes the database. Errors are ignored.
    func close() {
        try? self.current.close()
    }

    /// Runs a read transaction, which sees one state of the file.
    func read<Value>(_ body: (StoreTransaction) throws -> Value) throws -> Value {
        let opened = self.current
        return try SQLiteDatabase.explaining { try opened.read(body) }
    }

    /// Runs one write transaction on the file at the store's path.
    /// - Throws: ``StoreError/replaced`` if another file, or none, is at the path before the
    ///   commit or after it: no gateway would read what was written.
    func write<Value>(
        locking lock: StoreLock,
        body: (StoreTransaction) throws -> Value
    ) throws -> Value {
        let opened = self.current
        self.hasWritten.store(true, ordering: .relaxed)
        // A replaced database may be closed already. Its error is then less useful than
        // `replaced`.
        let result = Result {
            try opened.write { transaction in
                let value = try body(transaction)
                try self.requireInPlace(opened)
                return value
            }
        }
        try self.requireInPlace(opened)
        return try SQLiteDatabase.explaining { try result.get() }
    }

    /// - Throws: ``StoreError/replaced`` unless the files at the path are the open ones.
    private func requireInPlace(_ opened: SQLiteDatabase) throws {
        guard StoreFiles(path: self.path) == opened.files else { throw StoreError.replaced }
    }

    /// Moves what an edit wrote into the database file.
    func settle(removesSecrets: Bool) { self.current.settle(removesSecrets: removesSecrets) }

    /// A file does not know who uses it.
    func livingNodes() -> [String] { [] }

    /// A file has one gateway.
    func exchange() -> NodeExchange? { nil }

    /// A file has one gateway, which a command reaches over its control socket.
    func ask(_ question: NodeQuestion) -> NodeAnswers? { nil }

    /// Waits for the whole interval: SQLite tells nobody of a write.
    func wait(atMost interval: Duration) { Thread.sleep(forTimeInterval: interval / .seconds(1)) }

    // MARK: - Health

    /// - Throws: ``StoreError`` of kind `unusable` if this process may not write the database
    ///   file or its directory, in which SQLite creates its other files.
    func requireWritable() throws {
        let folder = URL(fileURLWithPath: self.path).deletingLastPathComponent().path
        for path in [self.path, folder] where access(path, W_OK) != 0 {
            throw StoreError.unusable(
                "\(path) cannot be written by the gateway's user: chown -R it to that user"
            )
        }
    }

    /// Runs SQLite's integrity check over the whole file, which takes time in proportion to its
    /// size.
    /// - Returns: Nil for an intact file, otherwise what SQLite found.
    func integrityProblem() throws -> String? {
        let current = self.current
        return try SQLiteDatabase.explaining { try current.integrityProblem() }
    }
}
