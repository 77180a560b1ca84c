import Foundation
import Glibc

/// Reads and writes a file that only the gateway's own user may read. Blocks.
struct KeptLoginsFile: Sendable {
    /// Why a file is not used or not written, with the remedy.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    private let path: String
    /// Whose file it must be; nil for the user of this process.
    private let user: uid_t?

    /// - Parameter user: whose file it must be; nil for the user that this process has when it reads
    ///   the file.
    init(path: String, user: uid_t? = nil) {
        self.path = path
        self.user = user
    }

    /// The whole file.
    /// - Returns: nil if there is none.
    /// - Throws: ``Problem`` if it is no regular file, belongs to another user, can be accessed by
    ///   others, is longer than `maximum`, or cannot be read.
    func read(maximum: Int) throws(Problem) -> [UInt8]? {
        // O_NONBLOCK: opening a pipe must not wait for its other end.
        let descriptor = open(self.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw self.problem("cannot be opened: \(Self.reason)", remedy: "remove it")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw self.problem("is no regular file", remedy: "remove it")
        }
        guard status.st_uid == self.user ?? geteuid() else {
            throw self.problem("belongs to another user", remedy: "remove it")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw self.problem(
                "can be accessed by others",
                remedy: "run chmod 600 \(self.path), or remove it"
            )
        }
        guard let octets = try? handle.read(upToCount: maximum + 1) ?? Data() else {
            throw self.problem("cannot be read", remedy: "remove it")
        }
        guard octets.count <= maximum else {
            throw self.problem("is too long", remedy: "remove it")
        }
        return Array(octets)
    }

    /// Replaces the file as a whole: after a crash there is the old file or the new one.
    /// - Throws: ``Problem`` if that fails; then the old file stays.
    func write(_ octets: [UInt8]) throws(Problem) {
        let next = self.path + ".new"
        // One that a crash left, or that somebody else put there.
        unlink(next)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = open(next, flags, 0o600)
        guard descriptor >= 0 else { throw self.notWritten(Self.reason) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(octets))
            try handle.synchronize()
        } catch {
            unlink(next)
            throw self.notWritten("the disk is full or fails")
        }
        guard rename(next, self.path) == 0 else {
            let reason = Self.reason
            unlink(next)
            throw self.notWritten(reason)
        }
        try? SentCopy.syncFolder(URL(fileURLWithPath: self.path).deletingLastPathComponent())
    }

    /// Removes the file, if there is one.
    func remove() {
        unlink(self.path)
    }

    /// The problem of a file whose octets are not as they were written.
    var damaged: Problem {
        self.problem("is damaged, or was sealed with another master key", remedy: "remove it")
    }

    /// The text of the last error of the system.
    private static var reason: String { String(cString: strerror(errno)) }

    private func notWritten(_ reason: String) -> Problem {
        self.problem(
            "cannot be written: \(reason)",
            remedy: "let the gateway's user write to its folder"
        )
    }

    private func problem(_ what: String, remedy: String) -> Problem {
        Problem(description: "\(self.path) \(what): \(remedy)")
    }
}
