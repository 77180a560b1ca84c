import COpenSSL
import Synchronization

/// How the gateway connects to servers: what it trusts, and the sessions it can resume.
package final class TLSClientContext: Sendable {
    /// Sessions kept at most; beyond it all are forgotten, which costs full handshakes only.
    private static let maximumSessions = 4_096

    let context: SSLContext
    private let sessions = Mutex<[String: SessionBox]>([:])

    /// - Throws: `unusableFile` when the file of trusted certificates cannot be read.
    package init(_ configuration: TLSClientConfiguration) throws(TLSError) {
        ErrorQueue.clear()
        self.context = try SSLContext(method: TLS_client_method())
        let pointer = self.context.pointer
        if let file = configuration.caFile {
            guard SSL_CTX_load_verify_locations(pointer, file, nil) == 1 else {
                _ = ErrorQueue.drain()
                throw .unusableFile(file)
            }
        } else {
            _ = SSL_CTX_set_default_verify_paths(pointer)
        }
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        let alpn = SSLContext.wireFormat(configuration.alpn)
        if !alpn.isEmpty { _ = SSL_CTX_set_alpn_protos(pointer, alpn, UInt32(alpn.count)) }
        let mode = Int(SSL_SESS_CACHE_CLIENT) | Int(SSL_SESS_CACHE_NO_INTERNAL)
        _ = gp_SSL_CTX_set_session_cache_mode(pointer, mode)
        SSL_CTX_sess_set_new_cb(pointer, newSessionCallback)
    }

    /// A session for a server, to be used once: a TLS 1.3 ticket shown twice can be linked.
    func takeSession(for server: String) -> SessionBox? {
        self.sessions.withLock { $0.removeValue(forKey: server) }
    }

    func keep(_ session: SessionBox, for server: String) {
        self.sessions.withLock { sessions in
            if sessions.count >= Self.maximumSessions { sessions = [:] }
            sessions[server] = session
        }
    }
}

/// One `SSL_SESSION`, owned.
///
/// `@unchecked Sendable`: the session is not changed after it was made; OpenSSL counts references
/// to it atomically.
final class SessionBox: @unchecked Sendable {
    let pointer: OpaquePointer

    init(takingOwnershipOf pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        SSL_SESSION_free(self.pointer)
    }
}

/// - Returns: 1, because the connection takes the session over.
private func newSessionCallback(ssl: OpaquePointer?, session: OpaquePointer?) -> CInt {
    guard let ssl, let session, let argument = SSL_get_ex_data(ssl, 0) else { return 0 }
    let connection = Unmanaged<SSLConnection>.fromOpaque(argument).takeUnretainedValue()
    connection.sessionReceived(SessionBox(takingOwnershipOf: session))
    return 1
}
