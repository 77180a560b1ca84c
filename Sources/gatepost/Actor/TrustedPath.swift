// The compiler takes whichever of the C modules it loads first for the home of C's structures.
import CDispatch
import CoreFoundation
import Foundation
import Gateway
import Glibc

/// Whether a file may be used for somebody who runs this as the gateway's user, by sudo.
///
/// Who owns a file proves nothing about its text: the gateway writes messages of strangers into files
/// of its own. What counts is who could have put it, or a folder on its way, where it is.
struct TrustedPath {
    /// A configuration: root alone could write it, and no link hides where it is.
    static let configuration = TrustedPath(owners: [0], allowsLinks: false)

    /// Certificates that a command names, to be trusted.
    static let certificates = TrustedPath(owners: [0], mayBeMissing: true)

    /// What root's configuration names. The gateway's user has to write the store, and to read keys
    /// that nobody else may read.
    static let named = TrustedPath(owners: [0, geteuid()], mayBeMissing: true)

    private let owners: Set<uid_t>
    private let allowsLinks: Bool
    /// Whether the one who reads the file says that it is not there.
    private let mayBeMissing: Bool

    private init(owners: Set<uid_t>, allowsLinks: Bool = true, mayBeMissing: Bool = false) {
        self.owners = owners
        self.allowsLinks = allowsLinks
        self.mayBeMissing = mayBeMissing
    }

    /// Follows a path from the top, and looks at nothing behind what somebody else can change: whether
    /// a file is there would be told to who may not know.
    ///
    /// - Returns: the path from the top.
    /// - Throws: ``Failure`` at the first part that is missing, a link where none is allowed, somebody
    ///   else's, open for others to write, or no regular file at its end.
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
                    throw Failure("\(place) is no regular file: it cannot be used by sudo")
                }
                continue
            }
            // What the link leads to is held to the same rule.
            guard self.allowsLinks, let real = Self.realPath(place) else {
                throw Failure(
                    "\(place) is a link: by sudo, say --config \(Self.realPath(path) ?? "FILE")"
                )
            }
            _ = try self.require(real, leadsToFile: leadsToFile && count == parts.count)
        }
        return path
    }

    /// - Parameter isFolder: whether it is the folder that the file is in, where a file could be put
    ///   beside it; in another one with the sticky bit nobody replaces what is another's.
    /// - Returns: whether it is a link, whose own mode says nothing.
    private func checkPart(_ place: String, of path: String, isFolder: Bool) throws -> Bool {
        var status = stat()
        guard lstat(place, &status) == 0 else { throw Failure("\(path) cannot be read") }
        guard self.owners.contains(status.st_uid) else {
            throw Failure(
                "\(place) is not \(self.owners.count > 1 ? "root's or this user's" : "root's"): "
                    + "it cannot be used by sudo"
            )
        }
        guard status.st_mode & S_IFMT != S_IFLNK else { return true }
        let isSticky = status.st_mode & 0o1000 != 0 && status.st_mode & S_IFMT == S_IFDIR
        guard status.st_mode & 0o022 == 0 || (isSticky && !isFolder) else {
            throw Failure("others can change \(place): chmod go-w, or it cannot be used by sudo")
        }
        return false
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
