import CLinux
import Glibc

/// A check for regular files on a disk. Pipes, devices and files of proc(5) can have any user's
/// text, whoever owns them.
package enum RegularFile {
    /// Whether a regular file exists.
    /// - Parameter path: a symbolic link as the last component is not followed, and is not a
    ///   regular file.
    package static func isThere(at path: String) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return gp_is_of_process(path) == 0
    }
}
