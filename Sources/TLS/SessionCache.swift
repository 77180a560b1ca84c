import COpenSSL

/// One `SSL_SESSION`, owned: what a connection needs to resume an earlier one.
///
/// `@unchecked Sendable`: the session is not changed after it was made, but for a mark that it is
/// not resumable, which OpenSSL sets behind its own lock; it counts references atomically.
final class SessionBox: @unchecked Sendable {
    let pointer: OpaquePointer

    init(takingOwnershipOf pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        SSL_SESSION_free(self.pointer)
    }

    /// A TLS 1.3 ticket shown twice lets an observer link two connections (RFC 8446 §C.4).
    var isForOneUse: Bool { SSL_SESSION_get_protocol_version(self.pointer) >= TLS1_3_VERSION }
    var isResumable: Bool { SSL_SESSION_is_resumable(self.pointer) == 1 }
}

/// The client's sessions, by the name of the server; the latest first.
struct SessionCache: Sendable {
    /// Sessions kept for one server: as many connections as begin before the first is answered.
    private static let maximumPerServer = 16
    /// Sessions kept at all; each holds a few KiB. Beyond it all are forgotten, which costs full
    /// handshakes only.
    private static let maximumSessions = 1_024

    private var sessions: [String: [SessionBox]] = [:]
    private var count = 0

    mutating func keep(_ session: SessionBox, for server: String) {
        if self.count >= Self.maximumSessions {
            self.sessions = [:]
            self.count = 0
        }
        var own = self.sessions.removeValue(forKey: server) ?? []
        self.count -= own.count
        if !session.isForOneUse {
            own = []
        } else if own.count >= Self.maximumPerServer {
            own.removeFirst()
        }
        own.append(session)
        self.count += own.count
        self.sessions[server] = own
    }

    /// The latest session; one of TLS 1.2 stays for the next connection too.
    mutating func take(for server: String) -> SessionBox? {
        while let session = self.sessions[server]?.last {
            if session.isResumable && !session.isForOneUse { return session }
            self.sessions[server]?.removeLast()
            self.count -= 1
            if session.isResumable { return session }
        }
        self.sessions[server] = nil
        return nil
    }
}
