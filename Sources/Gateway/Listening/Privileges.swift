import CLinux
import Foundation
import Glibc

/// The rights and limits of the process in the operating system.
package enum Privileges {
    /// Keeps the memory of the process, which holds keys and passwords, out of core dumps and away
    /// from other processes of the same user: only root may trace or read a process that is not
    /// dumpable (prctl(2)).
    ///
    /// A limit of one octet is below every dump. Unlike zero, it also keeps the kernel from piping
    /// a dump to a program (core(5)). Child processes inherit it.
    package static func forbidCoreDumps() {
        var limit = rlimit(rlim_cur: 1, rlim_max: 1)
        setrlimit(__rlimit_resource_t(4), &limit)
        _ = gp_prctl_set_dumpable(0)
    }

    /// `RLIMIT_NOFILE` (setrlimit(2)).
    static let openFiles = __rlimit_resource_t(7)

    /// Raises the soft limit of open files to the hard limit. The usual soft limit of 1,024 exists
    /// for programs that use select(2); six addresses with 200 connections each would reach it.
    static func raiseOpenFiles() {
        var limit = rlimit()
        guard getrlimit(Self.openFiles, &limit) == 0, limit.rlim_cur < limit.rlim_max else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(Self.openFiles, &limit)
    }

    /// Switches to another user for good, with that user's groups and no others. Without root, only
    /// checks that the process runs as that user.
    /// - Throws: ``ConfigurationError`` with a remedy.
    static func drop(to name: String) throws {
        guard geteuid() == 0 else {
            let current = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) }
            guard let current, current == name else {
                let current = current ?? "user \(geteuid())"
                throw ConfigurationError(
                    description:
                        "user: the gateway runs as \(current) and cannot switch to \(name): start it as root"
                )
            }
            return
        }
        guard let entry = getpwnam(name)?.pointee else {
            throw ConfigurationError(description: "user: this machine has no user \(name)")
        }
        guard entry.pw_uid != 0 else {
            throw ConfigurationError(description: "user: \(name) is root: name another user")
        }
        guard initgroups(name, entry.pw_gid) == 0, setgid(entry.pw_gid) == 0,
            setuid(entry.pw_uid) == 0, setuid(0) != 0
        else {
            throw ConfigurationError(
                description: "user: cannot switch to \(name): \(String(cString: strerror(errno)))"
            )
        }
        // A change of the user makes the process dumpable again (prctl(2)).
        self.forbidCoreDumps()
    }
}
