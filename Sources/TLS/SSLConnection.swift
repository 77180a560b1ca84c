import COpenSSL
import NIOCore

/// An OpenSSL connection (`SSL`) that reads and writes ciphertext in buffers instead of a socket.
final class SSLConnection {
    /// The result of an OpenSSL call.
    enum Outcome: Equatable {
        /// The call is done.
        case complete
        /// The call needs more ciphertext.
        case wantsInput
        /// The plaintext buffer is full.
        case wantsRoom
        /// The peer sent close_notify.
        case closedByPeer
        /// The connection is unusable.
        case failed(TLSError)
    }

    /// The context of the connection. Holding it keeps the targets of OpenSSL's callbacks alive.
    private enum Side {
        case server(TLSServerContext)
        case client(TLSClientContext, ServerName)
    }

    let ssl: OpaquePointer
    private let side: Side
    /// Whether OpenSSL reported a fatal error: further calls are not allowed.
    private var hasFailed = false

    /// Ciphertext that arrived and is not decrypted yet.
    var input = SSLConnection.noOctets
    /// The buffer of ciphertext that is used up, until the channel has released it, too.
    private var usedInput = SSLConnection.noOctets
    /// Ciphertext to send.
    var output = SSLConnection.noOctets

    /// Used where nothing is stored, so that no empty buffer is made.
    private static let noOctets = ByteBuffer()
    /// The most ciphertext, in octets, for which a buffer of its size is made. A larger one is
    /// borrowed, unless it is too large for the pool. A peer that does not read makes the connection
    /// keep its buffer.
    private static let smallWrite = 64 * 1_024

    init(server: TLSServerContext) throws(TLSError) {
        self.ssl = try Self.newSSL(server.first)
        self.side = .server(server)
        try self.attach()
        SSL_set_accept_state(self.ssl)
    }

    init(client: TLSClientContext, serverName: ServerName) throws(TLSError) {
        self.ssl = try Self.newSSL(client.context)
        self.side = .client(client, serverName)
        try self.attach()
        try serverName.expect(on: self.ssl)
        SSL_set_connect_state(self.ssl)
        if let session = client.takeSession(for: serverName) {
            _ = SSL_set_session(self.ssl, session.pointer)
        }
    }

    deinit {
        // Without these flags OpenSSL marks the session as broken and does not resume it.
        if !self.hasFailed { SSL_set_shutdown(self.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        SSL_free(self.ssl)
    }

    private static func newSSL(_ context: SSLContext) throws(TLSError) -> OpaquePointer {
        ErrorQueue.clear()
        guard let ssl = SSL_new(context.pointer) else { throw .outOfMemory }
        return ssl
    }

    /// Connects the `SSL` with this object's buffers and callbacks.
    private func attach() throws(TLSError) {
        let own = Unmanaged.passUnretained(self).toOpaque()
        guard let bio = newBufferBIO(own) else { throw .outOfMemory }
        SSL_set_bio(self.ssl, bio, bio)
        _ = SSL_set_ex_data(self.ssl, Self.ownIndex, own)
    }

    /// The index of the application's pointer in the `SSL`.
    private static let ownIndex: CInt = 0

    /// The connection of an `SSL`.
    static func of(_ ssl: OpaquePointer) -> SSLConnection? {
        guard let own = SSL_get_ex_data(ssl, Self.ownIndex) else { return nil }
        return Unmanaged<SSLConnection>.fromOpaque(own).takeUnretainedValue()
    }

    /// Stores a session that the server issued, for a later resumption.
    func sessionReceived(_ session: SessionBox) {
        switch self.side {
        case .client(let client, let name): client.keep(session, for: name)
        case .server: break
        }
    }

    // MARK: - Ciphertext

    /// Appends ciphertext from the network.
    func receive(_ ciphertext: ByteBuffer) {
        if self.input.readableBytes == 0 {
            self.input = ciphertext
        } else {
            self.input.writeImmutableBuffer(ciphertext)
        }
    }

    /// Removes and returns the ciphertext to send; nil if there is none.
    func takeOutput() -> ByteBuffer? {
        guard self.output.readableBytes > 0 else { return nil }
        var taken = Self.noOctets
        swap(&taken, &self.output)
        return taken
    }

    /// Lets go of ciphertext that is used up: a connection that waits must not hold a large buffer,
    /// also before the end of its handshake.
    func releaseInput() {
        guard self.input.storageCapacity > 0 else { return }
        self.usedInput = self.input
        self.input = Self.noOctets
    }

    /// Gives the buffer of ciphertext that is used up back to the pool.
    func giveBackInput() {
        guard self.usedInput.storageCapacity > 0 else { return }
        var used = Self.noOctets
        swap(&used, &self.usedInput)
        BufferPool.forReading.giveBack(used)
    }

    /// Reserves space for the ciphertext of a number of plaintext octets.
    func reserveOutput(for octets: Int) {
        // Header, tag and explicit nonce of TLS 1.2. TLS 1.3 needs less.
        let recordOverhead = 32
        let records = octets / Int(SSL3_RT_MAX_PLAIN_LENGTH) + 1
        let needed = octets + records * recordOverhead
        guard self.output.readableBytes == 0 else {
            return self.output.reserveCapacity(minimumWritableBytes: needed)
        }
        let pool = BufferPool.forWriting
        let isLarge = needed > Self.smallWrite && needed <= pool.capacity
        self.output =
            isLarge ? pool.borrow() : ByteBufferAllocator().buffer(capacity: needed)
    }

    // MARK: - Calls

    /// Continues the handshake with the ciphertext that has arrived.
    ///
    /// A client also checks the server's ALPN choice: older versions of OpenSSL accept a name that
    /// was not offered.
    func handshake() -> Outcome {
        ErrorQueue.clear()
        let outcome = self.outcome(of: SSL_do_handshake(self.ssl), isHandshake: true)
        if self.input.readableBytes == 0 { self.releaseInput() }
        guard outcome == .complete, case .client(let client, _) = self.side,
            let chosen = self.negotiatedProtocol, !client.protocols.contains(chosen)
        else { return outcome }
        self.hasFailed = true
        return .failed(.noCommonProtocol)
    }

    /// An upper bound of the plaintext in the ciphertext that has arrived, in octets.
    var expectedPlaintext: Int { self.input.readableBytes + Int(max(0, SSL_pending(self.ssl))) }

    /// Decrypts ciphertext until it is used up or `plaintext` is full.
    func read(into plaintext: inout ByteBuffer) -> Outcome {
        ErrorQueue.clear()
        // Calls without input or a pending record would only report a retry.
        while self.input.readableBytes > 0 || SSL_has_pending(self.ssl) == 1 {
            guard plaintext.writableBytes > 0 else { return .wantsRoom }
            var result: CInt = 0
            plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { octets in
                result = SSL_read(self.ssl, octets.baseAddress, CInt(clamping: octets.count))
                return Int(max(0, result))
            }
            guard result > 0 else {
                let outcome = self.outcome(of: result, isHandshake: false)
                if outcome == .wantsInput { break }
                return outcome
            }
        }
        self.releaseInput()
        return .wantsInput
    }

    /// Encrypts octets into ``output``, which grows as needed.
    func write(_ plaintext: UnsafeRawBufferPointer) -> Outcome {
        ErrorQueue.clear()
        var rest = plaintext
        while let start = rest.baseAddress, !rest.isEmpty {
            let result = SSL_write(self.ssl, start, CInt(clamping: rest.count))
            guard result > 0 else { return self.outcome(of: result, isHandshake: false) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Int(result)))
        }
        return .complete
    }

    /// Writes close_notify (RFC 8446 §6.1) unless the connection failed.
    func shutdown() {
        guard !self.hasFailed else { return }
        ErrorQueue.clear()
        _ = SSL_shutdown(self.ssl)
        ErrorQueue.clear()
    }

    /// Converts the result of an OpenSSL call.
    private func outcome(of result: CInt, isHandshake: Bool) -> Outcome {
        if result > 0 { return .complete }
        switch SSL_get_error(self.ssl, result) {
        case SSL_ERROR_WANT_READ:
            return .wantsInput
        case SSL_ERROR_ZERO_RETURN:
            return .closedByPeer
        default:
            self.hasFailed = true
            return .failed(self.failure(isHandshake: isHandshake))
        }
    }

    /// The reason of a fatal error. A client's certificate error precedes OpenSSL's reason.
    private func failure(isHandshake: Bool) -> TLSError {
        let reason = ErrorQueue.drain()
        let verification = SSL_get_verify_result(self.ssl)
        switch (self.side, CInt(clamping: verification)) {
        case (.client, X509_V_ERR_HOSTNAME_MISMATCH), (.client, X509_V_ERR_IP_ADDRESS_MISMATCH):
            return .nameMismatch
        case (.server, _), (.client, X509_V_OK):
            return isHandshake ? .handshake(reason) : .protocolViolation(reason.text)
        case (.client, _):
            let text = gp_X509_verify_error(verification).map { String(cString: $0) }
            return .certificateUnverified(text ?? reason.text)
        }
    }

    // MARK: - Result of the handshake

    /// The protocol that ALPN chose (RFC 7301).
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

    /// `TLSv1.2` or `TLSv1.3`.
    var version: String { SSL_get_version(self.ssl).map { String(cString: $0) } ?? "" }

    /// The cipher suite in OpenSSL's spelling.
    var cipher: String {
        SSL_CIPHER_get_name(SSL_get_current_cipher(self.ssl)).map { String(cString: $0) } ?? ""
    }

    /// Whether the handshake resumed a session.
    var isSessionReused: Bool { SSL_session_reused(self.ssl) == 1 }
}

/// OpenSSL calls this when the server has given a session that may be resumed.
/// - Returns: 1, because the connection takes the session over.
func sessionReceived(ssl: OpaquePointer?, session: OpaquePointer?) -> CInt {
    guard let ssl, let session, let connection = SSLConnection.of(ssl) else { return 0 }
    connection.sessionReceived(SessionBox(takingOwnershipOf: session))
    return 1
}

extension TLSError {
    /// OpenSSL's reason for a received alert no_application_protocol (RFC 7301 §3.2).
    private static let noApplicationProtocolAlert =
        SSL_AD_REASON_OFFSET + TLS1_AD_NO_APPLICATION_PROTOCOL

    /// The error of a failed handshake.
    fileprivate static func handshake(_ reason: ErrorQueue.Reason) -> TLSError {
        switch reason.code {
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            .protocolVersion
        case SSL_R_NO_APPLICATION_PROTOCOL, Self.noApplicationProtocolAlert:
            .noCommonProtocol
        default:
            .handshakeFailed(reason.text)
        }
    }
}
