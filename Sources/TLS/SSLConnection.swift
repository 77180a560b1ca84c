import COpenSSL
import NIOCore

/// One `SSL`: octets of the network in and out through buffers, never through a socket.
final class SSLConnection {
    /// What a call of OpenSSL came to.
    enum Outcome: Equatable {
        case complete
        case wantsInput
        case closed
        case failed(TLSError)
    }

    private let ssl: OpaquePointer
    // Held so that callbacks into them stay valid as long as the connection lives.
    private let server: TLSServerContext?
    private let client: TLSClientContext?
    private let serverName: String
    private var hasFailed = false

    /// Ciphertext that has arrived and is not decrypted yet.
    fileprivate var input = ByteBuffer()
    /// Ciphertext that is to be sent.
    fileprivate var output = ByteBuffer()

    init(server: TLSServerContext) throws(TLSError) {
        guard let ssl = SSL_new(server.first.pointer) else { throw .outOfMemory }
        self.ssl = ssl
        self.server = server
        self.client = nil
        self.serverName = ""
        try self.attach()
        SSL_set_accept_state(ssl)
    }

    /// - Throws: `unusableName` for a name that could not be verified.
    init(client: TLSClientContext, serverName: String) throws(TLSError) {
        guard !serverName.isEmpty, !serverName.utf8.contains(0), serverName.utf8.count <= 253,
            serverName.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw .unusableName }
        guard let ssl = SSL_new(client.context.pointer) else { throw .outOfMemory }
        self.ssl = ssl
        self.server = nil
        self.client = client
        self.serverName = serverName
        try self.attach()
        try self.expectName()
        SSL_set_connect_state(ssl)
        if let session = client.takeSession(for: serverName) {
            _ = SSL_set_session(ssl, session.pointer)
        }
    }

    deinit {
        // Without these flags the session would count as broken, and could not be resumed.
        if !self.hasFailed { SSL_set_shutdown(self.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        SSL_free(self.ssl)
    }

    private func attach() throws(TLSError) {
        guard let method = bufferMethod, let bio = BIO_new(method) else { throw .outOfMemory }
        let own = Unmanaged.passUnretained(self).toOpaque()
        BIO_set_data(bio, own)
        BIO_set_init(bio, 1)
        SSL_set_bio(self.ssl, bio, bio)
        _ = SSL_set_ex_data(self.ssl, 0, own)
    }

    /// Names the server for SNI and for the check of its certificate (RFC 7817 §3, RFC 6125 §6).
    private func expectName() throws(TLSError) {
        guard let parameters = SSL_get0_param(self.ssl) else { throw .outOfMemory }
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, self.serverName) == 1 { return }
        ErrorQueue.clear()
        X509_VERIFY_PARAM_set_hostflags(
            parameters,
            UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
                | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
        )
        guard
            X509_VERIFY_PARAM_set1_host(parameters, self.serverName, self.serverName.utf8.count)
                == 1,
            gp_SSL_set_tlsext_host_name(self.ssl, self.serverName) == 1
        else { throw .unusableName }
    }

    func sessionReceived(_ session: SessionBox) {
        self.client?.keep(session, for: self.serverName)
    }

    // MARK: - Ciphertext

    func receive(_ ciphertext: ByteBuffer) {
        if self.input.readableBytes == 0 {
            self.input = ciphertext
        } else {
            self.input.writeImmutableBuffer(ciphertext)
        }
    }

    /// Ciphertext to be sent, if there is any.
    func takeOutput() -> ByteBuffer? {
        guard self.output.readableBytes > 0 else { return nil }
        defer { self.output = ByteBuffer() }
        return self.output
    }

    func reserveOutput(_ octets: Int) {
        if self.output.capacity == 0 {
            self.output = ByteBufferAllocator().buffer(capacity: octets)
        }
    }

    /// Lets go of input that is used up, so that an idle connection holds nothing.
    private func releaseInput() {
        if self.input.readableBytes == 0 { self.input = ByteBuffer() }
    }

    // MARK: - Calls

    func handshake() -> Outcome {
        ErrorQueue.clear()
        let result = SSL_do_handshake(self.ssl)
        return self.outcome(result, isHandshake: true)
    }

    /// Decrypts what has arrived and appends it to `plaintext`.
    func read(into plaintext: inout ByteBuffer) -> Outcome {
        ErrorQueue.clear()
        while true {
            // A call without input and without a pending record would only say so.
            if self.input.readableBytes == 0, SSL_has_pending(self.ssl) == 0 {
                self.releaseInput()
                return .wantsInput
            }
            var result: CInt = 0
            let wanted = max(256, min(self.input.readableBytes, 16_384))
            _ = plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { octets in
                result = SSL_read(self.ssl, octets.baseAddress, CInt(clamping: octets.count))
                return Int(max(0, result))
            }
            guard result > 0 else {
                let outcome = self.outcome(result, isHandshake: false)
                if outcome == .wantsInput { self.releaseInput() }
                return outcome
            }
        }
    }

    /// Encrypts octets; the output grows by all of them.
    func write(_ plaintext: UnsafeRawBufferPointer) -> Outcome {
        ErrorQueue.clear()
        var rest = plaintext
        while let start = rest.baseAddress, !rest.isEmpty {
            let result = SSL_write(self.ssl, start, CInt(clamping: rest.count))
            guard result > 0 else { return self.outcome(result, isHandshake: false) }
            rest = UnsafeRawBufferPointer(rebasing: rest[Int(result)...])
        }
        return .complete
    }

    /// Says goodbye (close_notify).
    func shutdown() {
        ErrorQueue.clear()
        guard !self.hasFailed else { return }
        _ = SSL_shutdown(self.ssl)
        ErrorQueue.clear()
    }

    private func outcome(_ result: CInt, isHandshake: Bool) -> Outcome {
        if result > 0 { return .complete }
        switch SSL_get_error(self.ssl, result) {
        case SSL_ERROR_WANT_READ:
            return .wantsInput
        case SSL_ERROR_ZERO_RETURN:
            return .closed
        default:
            self.hasFailed = true
            return .failed(self.failure(isHandshake: isHandshake))
        }
    }

    private func failure(isHandshake: Bool) -> TLSError {
        let reason = ErrorQueue.drain()
        let verification = SSL_get_verify_result(self.ssl)
        if self.client != nil, verification != Int(X509_V_OK) {
            let text = gp_X509_verify_error(verification).map { String(cString: $0) }
            return .certificateUnverified(text ?? reason)
        }
        return isHandshake ? .handshakeFailed(reason) : .protocolViolation(reason)
    }

    // MARK: - What came of the handshake

    var negotiatedProtocol: String? {
        var octets: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(self.ssl, &octets, &count)
        guard let octets, count > 0 else { return nil }
        return String(
            decoding: UnsafeBufferPointer(start: octets, count: Int(count)),
            as: UTF8.self
        )
    }

    var version: String { SSL_get_version(self.ssl).map { String(cString: $0) } ?? "" }

    var cipher: String {
        SSL_CIPHER_get_name(SSL_get_current_cipher(self.ssl)).map { String(cString: $0) } ?? ""
    }

    var isSessionReused: Bool { SSL_session_reused(self.ssl) == 1 }
}

// MARK: - The BIO

/// A BIO over the buffers of a connection; it never blocks, and asks to be called again when the
/// input is used up. Made once, never changed after, and needed until the process ends.
private nonisolated(unsafe) let bufferMethod: OpaquePointer? = {
    let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
    guard let method = BIO_meth_new(type, "buffer") else { return nil }
    BIO_meth_set_read(method, bufferRead)
    BIO_meth_set_write(method, bufferWrite)
    BIO_meth_set_ctrl(method, bufferControl)
    return method
}()

private func connection(of bio: OpaquePointer?) -> SSLConnection? {
    guard let bio, let own = BIO_get_data(bio) else { return nil }
    return Unmanaged<SSLConnection>.fromOpaque(own).takeUnretainedValue()
}

private func bufferRead(
    bio: OpaquePointer?,
    octets: UnsafeMutablePointer<CChar>?,
    count: CInt
) -> CInt {
    guard let connection = connection(of: bio), let octets, count > 0 else { return -1 }
    gp_BIO_clear_retry_flags(bio)
    let length = min(Int(count), connection.input.readableBytes)
    guard length > 0 else {
        gp_BIO_set_retry_read(bio)
        return -1
    }
    connection.input.readWithUnsafeReadableBytes { source in
        UnsafeMutableRawPointer(octets).copyMemory(
            from: source.baseAddress ?? UnsafeRawPointer(octets),
            byteCount: length
        )
        return length
    }
    return CInt(length)
}

private func bufferWrite(
    bio: OpaquePointer?,
    octets: UnsafePointer<CChar>?,
    count: CInt
) -> CInt {
    guard let connection = connection(of: bio), let octets, count > 0 else { return -1 }
    gp_BIO_clear_retry_flags(bio)
    connection.output.writeBytes(UnsafeRawBufferPointer(start: octets, count: Int(count)))
    return count
}

private func bufferControl(
    bio: OpaquePointer?,
    command: CInt,
    number: Int,
    pointer: UnsafeMutableRawPointer?
) -> Int {
    // Everything is flushed by whoever takes the output.
    command == BIO_CTRL_FLUSH ? 1 : 0
}
