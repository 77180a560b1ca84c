import COpenSSL
import Synchronization

/// The client side of TLS: trusted authorities, ALPN and sessions to resume.
package final class TLSClientContext: Sendable {
    let context: SSLContext
    let protocols: ApplicationProtocols
    private let sessions = Mutex(SessionCache())

    /// - Throws: `unusableFile` if the file of authorities cannot be read.
    package init(_ configuration: TLSClientConfiguration) throws(TLSError) {
        self.context = try SSLContext(method: TLS_client_method())
        self.protocols = ApplicationProtocols(configuration.alpn)
        let pointer = self.context.pointer
        if let file = configuration.caFile {
            guard SSL_CTX_load_verify_locations(pointer, file, nil) == 1 else {
                _ = ErrorQueue.drain()
                throw .unusableFile(file)
            }
        } else {
            guard SSL_CTX_set_default_verify_paths(pointer) == 1 else {
                ErrorQueue.clear()
                throw .unusableSettings
            }
        }
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        if !self.protocols.isEmpty {
            let list = self.protocols.wireFormat
            // Unlike the other calls, this one returns 0 for success.
            guard SSL_CTX_set_alpn_protos(pointer, list, UInt32(clamping: list.count)) == 0 else {
                ErrorQueue.clear()
                throw .unusableSettings
            }
        }
        let mode = Int(SSL_SESS_CACHE_CLIENT) | Int(SSL_SESS_CACHE_NO_INTERNAL)
        _ = gp_SSL_CTX_set_session_cache_mode(pointer, mode)
        SSL_CTX_sess_set_new_cb(pointer, sessionReceived)
    }

    /// A session of this server, which was verified under the same name and authorities.
    func takeSession(for server: ServerName) -> SessionBox? {
        self.sessions.withLock { $0.take(for: server.text) }
    }

    /// Stores a session for later connections to the server.
    func keep(_ session: SessionBox, for server: ServerName) {
        self.sessions.withLock { $0.keep(session, for: server.text) }
    }
}
