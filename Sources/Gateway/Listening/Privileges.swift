import CLinux
import Foundation
import Glibc

/// What the process may do, as the operating system has it.
package enum Privileges {
    /// Keeps what is in memory out of core dumps, and from other processes of the same user: nobody but
    /// root may trace a process that is not dumpable, nor read its memory (prctl(2)). A limit of one
    /// octet is below every dump, and unlike zero it keeps the kernel from piping one to a program, too
    /// (core(5)); programs that are started inherit it.
    package static func forbidCoreDumps() {
        var limit = rlimit(rlim_cur: 1, rlim_max: 1)
        setrlimit(__rlimit_resource_t(4), &limit)
        _ = gp_prctl_set_dumpable(0)
    }

    /// The number of files that the process may have open, as setrlimit(2) has it.
    static let openFiles = __rlimit_resource_t(7)

    /// Raises the limit of open files as far as the process may: the usual soft limit of 1,024 is for programs
    /// that use select(2), and is reached by six addresses that open 200 connections each.
    static func raiseOpenFiles() {
        var limit = rlimit()
        guard getrlimit(Self.openFiles, &limit) == 0, limit.rlim_cur < limit.rlim_max else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(Self.openFiles, &limit)
    }

    /// Becomes another user for good, if this process is root: with that user's groups and no others.
    /// - Throws: in words that say what to do.
    static func drop(to name: String) throws {
        guard geteuid() == 0 else {
            let current = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) }
            guard let current, current == name else {
                let current = current ?? "user \(geteuid())"
                throw ConfigurationError(
                    description: "user: the gateway runs as \(current), who cannot become \(name)"
                )
            }
            return
        }
        guard let entry = getpwnam(name)?.pointee else {
            throw ConfigurationError(description: "user: nobody here is called \(name)")
        }
        guard entry.pw_uid != 0 else {
            throw ConfigurationError(description: "user: \(name) is root: name another user")
        }
        guard initgroups(name, entry.pw_gid) == 0, setgid(entry.pw_gid) == 0,
            setuid(entry.pw_uid) == 0, setuid(0) != 0
        else {
            throw ConfigurationError(description: "user: cannot become \(name): errno \(errno)")
        }
        // The kernel sets it anew for another user.
        self.forbidCoreDumps()
    }
}
