import CLinux
import Glibc

/// A file of a disk, and no pipe, device, or what the kernel tells of a process (proc(5)): that can have
/// anybody's text, whoever owns it.
package enum RegularFile {
    /// - Parameter path: its last part counts as it is, be it a link.
    package static func isThere(at path: String) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        return gp_is_of_process(path) == 0
    }
}
