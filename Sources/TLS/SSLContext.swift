import COpenSSL

/// An `SSL_CTX` with the settings that both sides share.
///
/// `@unchecked Sendable`: it is configured before it is shared and only read afterwards. OpenSSL
/// protects what it changes itself (reference counts, ticket keys) with locks.
final class SSLContext: @unchecked Sendable {
    let pointer: OpaquePointer

    /// The cipher suites of TLS 1.2: AEAD with forward secrecy. TLS 1.3 has no others.
    private static let suites = "ECDHE+AESGCM:ECDHE+CHACHA20"

    /// The cipher suites of TLS 1.3: all, the one with the least computation first.
    private static let suitesOfTLS13 =
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

    /// Key exchange groups: the first list that this OpenSSL supports is used. OpenSSL's default
    /// also has finite fields up to 8,192 bits, with which a client causes much computation at
    /// little cost.
    ///
    /// A client sends the key shares of the groups with a star (OpenSSL 3.5). With one share only, a
    /// server without the hybrid group asks for another one, which costs a round trip (RFC 8446
    /// §4.1.4).
    private static let groups = [
        "*X25519MLKEM768:*X25519:P-256:P-384:P-521",
        "X25519MLKEM768:X25519:P-256:P-384:P-521",
        "X25519:P-256:P-384:P-521",
    ]

    /// - Throws: `outOfMemory`, or `unusableSettings` instead of weaker settings.
    init(method: OpaquePointer?) throws(TLSError) {
        ErrorQueue.clear()
        guard let pointer = SSL_CTX_new(method) else { throw .outOfMemory }
        self.pointer = pointer
        // The system's policy may require a later version than TLS 1.2: keep it.
        let oldest = max(gp_SSL_CTX_get_min_proto_version(pointer), Int(TLS1_2_VERSION))
        guard gp_SSL_CTX_set_min_proto_version(pointer, CInt(clamping: oldest)) == 1,
            SSL_CTX_set_cipher_list(pointer, Self.suites) == 1,
            gp_SSL_CTX_set_ciphersuites(pointer, Self.suitesOfTLS13) == 1,
            Self.groups.contains(where: { gp_SSL_CTX_set1_groups_list(pointer, $0) == 1 })
        else { throw .unusableSettings }
        _ = gp_SSL_CTX_set_mode(
            pointer,
            Int(SSL_MODE_RELEASE_BUFFERS) | Int(SSL_MODE_ENABLE_PARTIAL_WRITE)
                | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)
        )
        _ = SSL_CTX_set_options(pointer, gp_SSL_OP_NO_RENEGOTIATION | gp_SSL_OP_NO_COMPRESSION)
        SSL_CTX_set_default_passwd_cb(pointer, refusePassphrase)
        // An unsupported group list leaves an error in the queue.
        ErrorQueue.clear()
    }

    deinit {
        SSL_CTX_free(self.pointer)
    }
}

/// Refuses encrypted keys: OpenSSL's default would ask for the passphrase at the terminal.
private func refusePassphrase(
    passphrase: UnsafeMutablePointer<CChar>?,
    size: CInt,
    isForWriting: CInt,
    argument: UnsafeMutableRawPointer?
) -> CInt {
    -1
}
