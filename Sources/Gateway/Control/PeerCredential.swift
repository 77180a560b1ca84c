import Glibc

/// The kernel's `struct ucred` (unix(7)).
struct PeerCredential: Sendable {
    /// The process that connected.
    var pid: pid_t = 0
    /// Its effective user when it connected.
    var uid: uid_t = 0
    /// Its effective group when it connected.
    var gid: gid_t = 0
}
