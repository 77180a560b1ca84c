import COpenSSL

/// One `SSL_CTX`: made with what holds on both sides, freed when nothing uses it any more.
///
/// `@unchecked Sendable`: a context is configured before it is shared, and from then on only read;
/// what OpenSSL changes in it by itself (reference counts, session cache) is behind its own locks.
final class SSLContext: @unchecked Sendable {
    let pointer: OpaquePointer

    init(method: OpaquePointer?) throws(TLSError) {
        guard let pointer = SSL_CTX_new(method) else { throw .outOfMemory }
        self.pointer = pointer
        _ = gp_SSL_CTX_set_min_proto_version(pointer, TLS1_2_VERSION)
        _ = gp_SSL_CTX_set_mode(
            pointer,
            Int(SSL_MODE_RELEASE_BUFFERS) | Int(SSL_MODE_ENABLE_PARTIAL_WRITE)
                | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
        )
        _ = SSL_CTX_set_options(pointer, gp_SSL_OP_NO_RENEGOTIATION | gp_SSL_OP_NO_COMPRESSION)
        // AEAD with forward secrecy only, for TLS 1.2; TLS 1.3 has no others.
        _ = SSL_CTX_set_cipher_list(pointer, "ECDHE+AESGCM:ECDHE+CHACHA20")
    }

    deinit {
        SSL_CTX_free(self.pointer)
    }

    /// Protocol names in the form of RFC 7301 §3.1: each with its length before it.
    static func wireFormat(_ protocols: [String]) -> [UInt8] {
        protocols.flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8) }
    }
}
