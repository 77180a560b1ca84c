import Foundation

/// A file as the kernel knows it, whatever its name is.
package struct FileIdentity: Codable, Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64

    /// - Returns: nil where the path leads to no file, or cannot be followed.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.device = UInt64(truncatingIfNeeded: status.st_dev)
        self.inode = UInt64(truncatingIfNeeded: status.st_ino)
    }
}

/// The files that make up an open store: the database, its write-ahead log, and the index that the
/// processes share. SQLite goes on with the files that it opened when another file gets the name.
struct StoreFiles: Equatable, Sendable {
    /// What SQLite appends to the database's name (https://www.sqlite.org/tempfiles.html).
    static let companions = ["-wal", "-shm"]

    let database: FileIdentity?
    let writeAheadLog: FileIdentity?
    let sharedIndex: FileIdentity?

    init(path: String) {
        self.database = FileIdentity(path: path)
        self.writeAheadLog = FileIdentity(path: path + Self.companions[0])
        self.sharedIndex = FileIdentity(path: path + Self.companions[1])
    }
}

/// A file with its size and the moment of its last change: another one once it is written to.
struct FileStamp: Equatable, Sendable {
    private let identity: FileIdentity?
    private let octets: Int64
    private let seconds: Int
    private let nanoseconds: Int

    init(path: String) {
        self.identity = FileIdentity(path: path)
        var status = stat()
        _ = stat(path, &status)
        self.octets = Int64(status.st_size)
        self.seconds = Int(status.st_mtim.tv_sec)
        self.nanoseconds = Int(status.st_mtim.tv_nsec)
    }
}

/// Why the file at the store's path is not in force.
package struct StoreRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// With the remedy.
    package var description: String
    /// The file, where an administrator may put it into force all the same.
    package var waiting: WaitingStore?

    init(_ description: String, waiting: WaitingStore? = nil) {
        self.description = description
        self.waiting = waiting
    }
}

/// A file that waits for an administrator's word, as it was when it was looked at last.
package struct WaitingStore: Codable, Equatable, Sendable {
    package let file: FileIdentity
    package let revision: Int64

    package init(file: FileIdentity, revision: Int64) {
        self.file = file
        self.revision = revision
    }
}
