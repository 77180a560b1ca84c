import COpenSSL

/// An owned `SSL_SESSION`: the state to resume an earlier connection.
///
/// `@unchecked Sendable`: it is not changed after its creation. OpenSSL marks it as not resumable
/// under a lock, and counts references atomically.
final class SessionBox: @unchecked Sendable {
    let pointer: OpaquePointer

    init(takingOwnershipOf pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        SSL_SESSION_free(self.pointer)
    }

    /// Whether the session may be used once. An observer could link two connections by a TLS 1.3
    /// ticket that is sent twice (RFC 8446 §C.4).
    var isForOneUse: Bool { SSL_SESSION_get_protocol_version(self.pointer) >= TLS1_3_VERSION }
    /// Whether OpenSSL can still resume the session.
    var isResumable: Bool { SSL_SESSION_is_resumable(self.pointer) == 1 }
}

/// The client's sessions by server name, the latest first.
struct SessionCache: Sendable {
    /// The most sessions for one server: connections that start before the first one is answered.
    private static let maximumPerServer = 16
    /// The most sessions; each takes a few KiB. When it is reached, the cache is emptied, which
    /// only costs full handshakes.
    private static let maximumSessions = 1_024

    private var sessions: [String: [SessionBox]] = [:]
    private var count = 0

    /// Stores a session. One of TLS 1.2 replaces the earlier ones; those of TLS 1.3 accumulate.
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

    /// Returns the latest resumable session. One of TLS 1.3 is removed.
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
