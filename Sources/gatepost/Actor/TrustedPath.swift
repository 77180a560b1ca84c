// The compiler assigns C's structures to the first C module that it loads: import these first.
import CDispatch
import CoreFoundation
import Foundation
import Gateway
import Glibc

/// The rule for a file that a caller who came by sudo makes the gateway's user read.
///
/// The owner of a file proves nothing about its contents: the gateway writes messages of strangers
/// into files that it owns. The rule therefore checks who could have put the file, or a folder on
/// its path, in place.
struct TrustedPath {
    /// The rule for a configuration: only root could write it, and no part of the path is a link.
    static let configuration = TrustedPath(owners: [0], allowsLinks: false)

    /// The rule for certificates that a command names as trusted.
    static let certificates = TrustedPath(owners: [0], mayBeMissing: true)

    /// The rule for files that root's configuration names. The gateway's user owns the store, and
    /// keys that only it may read.
    static let named = TrustedPath(owners: [0, geteuid()], mayBeMissing: true)

    /// The user numbers that may own each part of the path.
    private let owners: Set<uid_t>
    private let allowsLinks: Bool
    /// Whether a missing file passes, because the code that reads it reports that.
    private let mayBeMissing: Bool

    private init(owners: Set<uid_t>, allowsLinks: Bool = true, mayBeMissing: Bool = false) {
        self.owners = owners
        self.allowsLinks = allowsLinks
        self.mayBeMissing = mayBeMissing
    }

    /// Checks each part of a path, from the root of the file system on.
    ///
    /// The check stops at the first part that another user can change. It looks at nothing below:
    /// the result would tell the caller whether a hidden file exists.
    ///
    /// - Returns: the absolute path.
    /// - Throws: ``Failure`` at the first part that is missing, is a forbidden link, has another
    ///   owner or is writable for others, or if the path does not end at a regular file.
    @discardableResult
    func require(_ file: String) throws -> String {
        try self.require(file, leadsToFile: true)
    }

    private func require(_ file: String, leadsToFile: Bool) throws -> String {
        let path =
            file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
        let parts = path.split(separator: "/").map(String.init)
        for count in 0...parts.count {
            let place = "/" + parts.prefix(count).joined(separator: "/")
            if count == parts.count, self.mayBeMissing, access(place, F_OK) != 0 { return path }
            let isLink = try self.checkPart(place, of: path, isFolder: count == parts.count - 1)
            guard isLink else {
                if count == parts.count, leadsToFile, !RegularFile.isThere(at: place) {
                    throw Failure("\(place) is not a regular file: by sudo, name a regular file")
                }
                continue
            }
            // The target of the link must obey the same rule.
            guard self.allowsLinks, let real = Self.realPath(place) else {
                throw Failure(
                    "\(place) is a link: by sudo, use --config \(Self.realPath(path) ?? "FILE")"
                )
            }
            _ = try self.require(real, leadsToFile: leadsToFile && count == parts.count)
        }
        return path
    }

    /// Checks the owner and the mode of one part of the path.
    ///
    /// - Parameter isFolder: whether the part is the folder that contains the file. There another
    ///   user could replace the file. In any other folder the sticky bit prevents that.
    /// - Returns: whether the part is a link. The mode of a link means nothing.
    private func checkPart(_ place: String, of path: String, isFolder: Bool) throws -> Bool {
        var status = stat()
        guard lstat(place, &status) == 0 else {
            throw Failure("cannot read \(path): check the path")
        }
        guard self.owners.contains(status.st_uid) else {
            throw Failure(
                "\(place) does not belong to \(self.owners.count > 1 ? "root or this user" : "root"): "
                    + "by sudo, change its owner first"
            )
        }
        guard status.st_mode & S_IFMT != S_IFLNK else { return true }
        let isSticky = status.st_mode & 0o1000 != 0 && status.st_mode & S_IFMT == S_IFDIR
        guard status.st_mode & 0o022 == 0 || (isSticky && !isFolder) else {
            throw Failure("others can change \(place): by sudo, chmod go-w \(place) first")
        }
        return false
    }

    /// The path without links; nil if it leads nowhere.
    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
