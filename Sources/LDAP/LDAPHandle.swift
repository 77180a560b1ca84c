import CLDAP
import Glibc

/// A handle of libldap with one TLS connection. It never opens another one.
final class LDAPHandle {
    private let server: DirectoryServer
    private let timer: SocketTimer
    private let handle: OpaquePointer
    /// Whether the connection is unusable: the next answer would belong to an earlier request, or
    /// the identity is unknown.
    private(set) var isBroken = false

    /// The time for the unbind request of a connection, in seconds.
    private static let closeSeconds = 2

    /// Connects, and completes the TLS handshake.
    /// - Throws: `unavailable`, or `failed` for an unusable host, port or CA file.
    init(
        to server: DirectoryServer,
        limits: DirectoryLimits,
        until deadline: Deadline
    ) throws(DirectoryError) {
        guard let url = server.url else {
            throw .failed("\(server) is not a host and a port")
        }
        let caFile = server.caFile ?? DirectoryServer.systemCAFile
        guard !caFile.utf8.contains(0), access(caFile, R_OK) == 0 else {
            throw .failed("the CA file \(PeerText.printable(caFile.utf8)) is not readable")
        }
        let socket = try SocketConnection.open(to: server, until: deadline)
        guard let timer = SocketTimer(socket: socket) else {
            close(socket)
            throw .unavailable("\(server): the process has no file descriptor left")
        }
        var handle: OpaquePointer?
        let code = ldap_init_fd(socket, LDAP_PROTO_TCP, url, &handle)
        guard code == LDAP_SUCCESS, let handle else {
            close(socket)
            throw .unavailable("libldap has no memory")
        }
        // From here on, the handle owns the socket.
        self.server = server
        self.timer = timer
        self.handle = handle
        try self.configure(caFile: caFile, limits: limits)
        try self.within(deadline) { () throws(DirectoryError) in
            if server.security == .startTLS { try self.requestTLS(until: deadline) }
            try self.startTLS(until: deadline)
        }
    }

    deinit {
        if self.isBroken {
            self.timer.shutDown()
        } else {
            self.timer.start(Deadline(seconds: Self.closeSeconds))
        }
        ldap_unbind_ext(self.handle, nil, nil)
    }

    /// Sets every option that a file or the environment of the process may have set for all
    /// handles (ldap.conf(5)): `LDAPTLS_REQCERT=never` must not weaken this handle.
    private func configure(caFile: String, limits: DirectoryLimits) throws(DirectoryError) {
        let handle = self.handle
        guard let ciphers = LDAPLibrary.ciphers else {
            throw .failed("libldap uses an unknown TLS library")
        }
        let codes = [
            gp_ldap_set_number(handle, LDAP_OPT_PROTOCOL_VERSION, LDAP_VERSION3),
            gp_ldap_set_off(handle, LDAP_OPT_REFERRALS),
            // A signal does not end a wait.
            gp_ldap_set_on(handle, LDAP_OPT_RESTART),
            gp_ldap_set_number(handle, LDAP_OPT_DEREF, LDAP_DEREF_NEVER),
            gp_ldap_set_number(handle, LDAP_OPT_SIZELIMIT, 0),
            gp_ldap_set_number(handle, LDAP_OPT_TIMELIMIT, 0),
            // The timer bounds the time. With a network timeout, libldap waits for the handshake
            // in a busy loop.
            gp_ldap_set_endless(handle, LDAP_OPT_NETWORK_TIMEOUT),
            gp_ldap_set_endless(handle, LDAP_OPT_TIMEOUT),
            gp_ldap_set_off(handle, LDAP_OPT_CONNECT_ASYNC),
            gp_ldap_refuse_connections(handle),
            gp_ldap_set_maximum_incoming(handle, ber_len_t(max(limits.messageOctets, 1))),
            gp_ldap_set_string(handle, LDAP_OPT_X_TLS_CACERTDIR, ""),
            gp_ldap_set_string(handle, LDAP_OPT_X_TLS_CERTFILE, ""),
            gp_ldap_set_string(handle, LDAP_OPT_X_TLS_KEYFILE, ""),
            gp_ldap_set_string(handle, LDAP_OPT_X_TLS_CRLFILE, ""),
            gp_ldap_set_string(handle, LDAP_OPT_X_TLS_ECNAME, ""),
            gp_ldap_set_string(handle, LDAP_OPT_X_TLS_PEERKEY_HASH, ""),
            gp_ldap_set_string(handle, LDAP_OPT_X_TLS_CACERTFILE, caFile),
            gp_ldap_set_string(handle, LDAP_OPT_X_TLS_CIPHER_SUITE, ciphers),
            gp_ldap_set_number(
                handle,
                LDAP_OPT_X_TLS_PROTOCOL_MIN,
                gp_LDAP_OPT_X_TLS_PROTOCOL_TLS1_2
            ),
            gp_ldap_set_number(handle, LDAP_OPT_X_TLS_PROTOCOL_MAX, 0),
            gp_ldap_set_number(handle, LDAP_OPT_X_TLS_REQUIRE_CERT, LDAP_OPT_X_TLS_DEMAND),
            gp_ldap_set_number(handle, LDAP_OPT_X_TLS_REQUIRE_SAN, LDAP_OPT_X_TLS_DEMAND),
        ]
        guard codes.allSatisfy({ $0 == LDAP_OPT_SUCCESS }) else {
            throw self.broken(.failed("this libldap lacks an option"))
        }
        // Last: the context takes the options above, and is not the one of the process.
        guard gp_ldap_set_number(handle, LDAP_OPT_X_TLS_NEWCTX, 0) == LDAP_OPT_SUCCESS else {
            let file = PeerText.printable(caFile.utf8)
            throw self.broken(.failed("the CA file \(file) has no usable certificate"))
        }
    }

    /// Performs the TLS handshake, and verifies the certificate's chain and host name.
    private func startTLS(until deadline: Deadline) throws(DirectoryError) {
        guard ldap_install_tls(self.handle) == LDAP_SUCCESS, ldap_tls_inplace(self.handle) == 1
        else {
            let reason = deadline.hasPassed ? "it takes too long" : self.diagnostic
            let error = DirectoryError.unavailable(
                "\(self.server): the TLS handshake failed, or the certificate is not for this "
                    + "host, has expired or has an issuer that the CA file lacks: \(reason)"
            )
            throw self.broken(error)
        }
    }

    /// The StartTLS operation (RFC 4511 §4.14).
    private func requestTLS(until deadline: Deadline) throws(DirectoryError) {
        let id = try self.request { handle, id in
            ldap_extended_operation(handle, LDAP_EXOP_START_TLS, nil, nil, nil, &id)
        }
        let answer = try self.answer(to: id, type: gp_LDAP_RES_EXTENDED, until: deadline)
        let result = try self.result(answer)
        guard result.code == LDAP_SUCCESS else {
            throw self.broken(result.error(of: .startTLS))
        }
    }

    /// libldap's text of the last error.
    private var diagnostic: String {
        guard let text = gp_ldap_diagnostic(self.handle) else { return "no reason given" }
        defer { ldap_memfree(text) }
        return PeerText.printable(text)
    }

    /// Marks the connection as unusable.
    /// - Returns: the error.
    func broken(_ error: DirectoryError) -> DirectoryError {
        self.isBroken = true
        return error
    }

    /// The error of a connection that libldap reports as lost.
    private func lost(_ code: CInt, deadline: Deadline) -> DirectoryError {
        let reason =
            deadline.hasPassed
            ? "the server does not answer in time" : PeerText.printable(ldap_err2string(code))
        return self.broken(.unavailable("\(self.server): \(reason)"))
    }

    /// Performs an operation, at whose deadline the connection ends.
    func within<Value>(
        _ deadline: Deadline,
        _ body: () throws(DirectoryError) -> Value
    ) throws(DirectoryError) -> Value {
        guard !self.isBroken else {
            throw .unavailable("\(self.server): the connection is closed")
        }
        self.timer.start(deadline)
        defer { self.timer.stop() }
        do throws(DirectoryError) {
            return try body()
        } catch {
            // The timer has ended the connection, or will.
            if deadline.hasPassed { self.isBroken = true }
            throw error
        }
    }

    /// Sends a request. Only one may wait for its answer.
    /// - Parameter send: calls libldap, which stores the message ID.
    /// - Returns: the message ID.
    func request(
        _ send: (OpaquePointer, inout CInt) -> CInt
    ) throws(DirectoryError) -> CInt {
        var id: CInt = -1
        let code = send(self.handle, &id)
        switch code {
        case LDAP_SUCCESS where id > 0:
            return id
        case LDAP_FILTER_ERROR, LDAP_PARAM_ERROR, LDAP_ENCODING_ERROR:
            // libldap has sent nothing.
            throw .failed(PeerText.printable(ldap_err2string(code)))
        default:
            let reason = PeerText.printable(ldap_err2string(code))
            throw self.broken(.unavailable("\(self.server): \(reason)"))
        }
    }

    /// The next message of the server, which must answer a request.
    ///
    /// libldap gets no message ID: with one, it handles a notice of disconnection (RFC 4511 §4.4.1)
    /// itself, and ends the process by an assertion if the notice has an empty name.
    /// - Throws: `unavailable` if another message or none arrives.
    func answer(to id: CInt, until deadline: Deadline) throws(DirectoryError) -> LDAPAnswer {
        let milliseconds = deadline.milliseconds
        var time = timeval(tv_sec: milliseconds / 1_000, tv_usec: milliseconds % 1_000 * 1_000)
        var message: OpaquePointer?
        let type = ldap_result(self.handle, LDAP_RES_ANY, LDAP_MSG_ONE, &time, &message)
        guard type > 0, let message else {
            let code = type == 0 ? LDAP_TIMEOUT : gp_ldap_result_code(self.handle)
            throw self.lost(code, deadline: deadline)
        }
        let answer = LDAPAnswer(message: message, handle: self.handle)
        guard answer.id == id else {
            let text = answer.id == 0 ? try self.result(answer).text : ""
            throw self.broken(
                .unavailable("\(self.server): the server ended the connection: \(text)")
            )
        }
        return answer
    }

    /// The answer to a request, whose type must be this.
    func answer(
        to id: CInt,
        type: CInt,
        until deadline: Deadline
    ) throws(DirectoryError) -> LDAPAnswer {
        let answer = try self.answer(to: id, until: deadline)
        guard answer.type == type else { throw self.unexpected() }
        return answer
    }

    /// The error of a message that does not fit the request.
    func unexpected() -> DirectoryError {
        self.broken(.unavailable("\(self.server): the answer does not follow the LDAP protocol"))
    }

    /// The result in an answer.
    func result(_ answer: LDAPAnswer) throws(DirectoryError) -> DirectoryResult {
        guard let result = answer.result() else { throw self.unexpected() }
        return result
    }
}
