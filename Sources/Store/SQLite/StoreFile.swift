import Foundation

/// The identity of a file at the kernel, independent of its name.
package struct FileIdentity: Codable, Hashable, Sendable {
    /// The file system's number (`st_dev`).
    package let device: UInt64
    /// The file's number there (`st_ino`).
    package let inode: UInt64

    /// Creates an identity of something else than a file, such as a database.
    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// - Returns: Nil if there is no file at the path, or the path cannot be resolved.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.device = UInt64(truncatingIfNeeded: status.st_dev)
        self.inode = UInt64(truncatingIfNeeded: status.st_ino)
    }
}

/// The identities of the files of an open store: the database, its write-ahead log, and the
/// shared index. When another file gets the name, SQLite continues with the files that it
/// opened.
struct StoreFiles: Equatable, Sendable {
    /// The suffixes that SQLite appends to the database's name
    /// (https://www.sqlite.org/tempfiles.html).
    static let companions = ["-wal", "-shm"]

    /// The database file; nil if there is none.
    let database: FileIdentity?
    /// The write-ahead log; nil if there is none.
    let writeAheadLog: FileIdentity?
    /// The index of the write-ahead log that processes share; nil if there is none.
    let sharedIndex: FileIdentity?

    /// Reads the identities of the files at a path now.
    init(path: String) {
        self.database = FileIdentity(path: path)
        self.writeAheadLog = FileIdentity(path: path + Self.companions[0])
        self.sharedIndex = FileIdentity(path: path + Self.companions[1])
    }
}

/// A file's identity, size and time of the last change. It differs after each write.
struct FileStamp: Equatable, Sendable {
    /// The file; nil if there is none.
    private let identity: FileIdentity?
    /// The size.
    private let octets: Int64
    /// The time of the last change, in seconds since 1970.
    private let seconds: Int
    /// The fraction of that second.
    private let nanoseconds: Int

    /// Reads the stamp of the file at a path now; one without an identity if there is no file.
    init(path: String) {
        self.identity = FileIdentity(path: path)
        var status = stat()
        _ = stat(path, &status)
        self.octets = Int64(status.st_size)
        self.seconds = Int(status.st_mtim.tv_sec)
        self.nanoseconds = Int(status.st_mtim.tv_nsec)
    }
}

/// Why the file at the store's path is not used.
package struct StoreRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// The reason, with the remedy.
    package var description: String
    /// The file, if an administrator can confirm it.
    package var waiting: WaitingStore?

    /// Creates a refusal.
    init(_ description: String, waiting: WaitingStore? = nil) {
        self.description = description
        self.waiting = waiting
    }
}

/// A file that waits for an administrator's confirmation, as of the last look.
package struct WaitingStore: Codable, Equatable, Sendable {
    /// The file's identity.
    package let file: FileIdentity
    /// The file's revision, which the administrator saw.
    package let revision: Int64

    /// Creates the value from a command's arguments.
    package init(file: FileIdentity, revision: Int64) {
        self.file = file
        self.revision = revision
    }
}
