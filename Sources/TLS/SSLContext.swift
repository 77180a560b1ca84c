import COpenSSL

/// One `SSL_CTX`: made with what holds on both sides, freed when nothing uses it any more.
///
/// `@unchecked Sendable`: a context is configured before it is shared, and from then on only read;
/// what OpenSSL changes in it by itself (reference counts, ticket keys) is behind its own locks.
final class SSLContext: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Suites for TLS 1.2: AEAD with forward secrecy only; TLS 1.3 has no others.
    private static let suites = "ECDHE+AESGCM:ECDHE+CHACHA20"

    /// Groups for the key exchange, the best list that this OpenSSL knows. Without a list it takes finite
    /// fields of up to 8,192 bits, too, with which a client that asks for little has the server compute much.
    private static let groups = [
        "X25519MLKEM768:X25519:P-256:P-384:P-521",
        "X25519:P-256:P-384:P-521",
    ]

    /// - Throws: `outOfMemory`; `unusableSettings` rather than a context with weaker ones.
    init(method: OpaquePointer?) throws(TLSError) {
        ErrorQueue.clear()
        guard let pointer = SSL_CTX_new(method) else { throw .outOfMemory }
        self.pointer = pointer
        // The policy of the system may ask for more than TLS 1.2, and then stands.
        let oldest = max(gp_SSL_CTX_get_min_proto_version(pointer), Int(TLS1_2_VERSION))
        guard gp_SSL_CTX_set_min_proto_version(pointer, CInt(clamping: oldest)) == 1,
            SSL_CTX_set_cipher_list(pointer, Self.suites) == 1,
            Self.groups.contains(where: { gp_SSL_CTX_set1_groups_list(pointer, $0) == 1 })
        else { throw .unusableSettings }
        _ = gp_SSL_CTX_set_mode(
            pointer,
            Int(SSL_MODE_RELEASE_BUFFERS) | Int(SSL_MODE_ENABLE_PARTIAL_WRITE)
                | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
        )
        _ = SSL_CTX_set_options(pointer, gp_SSL_OP_NO_RENEGOTIATION | gp_SSL_OP_NO_COMPRESSION)
        SSL_CTX_set_default_passwd_cb(pointer, refusePassphrase)
        // A list that was not known has left a word of it there.
        ErrorQueue.clear()
    }

    deinit {
        SSL_CTX_free(self.pointer)
    }
}

/// A key under a passphrase is not usable; OpenSSL would ask for it on the terminal.
private func refusePassphrase(
    passphrase: UnsafeMutablePointer<CChar>?,
    size: CInt,
    isForWriting: CInt,
    argument: UnsafeMutableRawPointer?
) -> CInt {
    -1
}
