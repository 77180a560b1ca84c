import Glibc

/// The kernel's `struct ucred` (unix(7)).
struct PeerCredential: Sendable {
    var pid: pid_t = 0
    var uid: uid_t = 0
    var gid: gid_t = 0
}
