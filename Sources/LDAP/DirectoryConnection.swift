import CLDAP

/// A connection to a directory server through verified TLS (RFC 4511, RFC 4513 §3).
///
/// All functions block, within the limits. One thread at a time may use it. An error other than
/// `refused` or `failed` closes the connection, and every later call throws `unavailable`: libldap
/// never connects again by itself, which would lose the identity of the bind.
package final class DirectoryConnection {
    let limits: DirectoryLimits
    /// A deadline of the caller for all operations.
    private let overall: Deadline?
    private var handle: LDAPHandle?

    /// Connects, and verifies the server's certificate.
    /// - Throws: `unavailable`, or `failed` for an unusable host, port or CA file.
    package convenience init(
        to server: DirectoryServer,
        limits: DirectoryLimits
    ) throws(DirectoryError) {
        try self.init(to: server, limits: limits, until: nil)
    }

    /// - Parameter overall: the end of all operations.
    init(
        to server: DirectoryServer,
        limits: DirectoryLimits,
        until overall: Deadline?
    ) throws(DirectoryError) {
        self.limits = limits
        self.overall = overall
        let deadline = Deadline(seconds: limits.connectSeconds).earlier(overall)
        self.handle = try LDAPHandle(to: server, limits: limits, until: deadline)
    }

    /// Closes the connection. Later calls throw `unavailable`.
    package func close() {
        self.handle = nil
    }

    /// The end of an operation that starts now.
    func deadline(seconds: Int) -> Deadline {
        Deadline(seconds: seconds).earlier(self.overall)
    }

    /// Performs an operation of many requests, at whose deadline the connection ends.
    func perform<Value>(
        until deadline: Deadline,
        _ body: (LDAPHandle) throws(DirectoryError) -> Value
    ) throws(DirectoryError) -> Value {
        guard let handle = self.handle else { throw .unavailable("the connection is closed") }
        return try handle.within(deadline) { () throws(DirectoryError) in try body(handle) }
    }

    /// A simple bind (RFC 4513 §5.1.3).
    ///
    /// A name or a password without an octet would be a bind without authentication, which servers
    /// accept (RFC 4513 §5.1.2), and so might a server that ends a password at a NUL.
    /// - Throws: `refused` for credentials that the server does not accept, and for an empty name
    ///   or password.
    package func bind(as name: String, password: [UInt8]) throws(DirectoryError) {
        guard !name.isEmpty, !password.isEmpty else {
            throw .refused("the name or the password is empty")
        }
        guard !name.utf8.contains(0), !password.contains(0) else {
            throw .refused("the name or the password contains NUL")
        }
        let deadline = self.deadline(seconds: self.limits.answerSeconds)
        try self.perform(until: deadline) { handle throws(DirectoryError) in
            let id = try handle.request { ldap, id in
                var octets = password.map { CChar(bitPattern: $0) }
                return octets.withUnsafeMutableBufferPointer { octets in
                    var value = berval(
                        bv_len: ber_len_t(octets.count),
                        bv_val: octets.baseAddress
                    )
                    // A nil mechanism is the simple bind.
                    let code = ldap_sasl_bind(ldap, name, nil, &value, nil, nil, &id)
                    octets.update(repeating: 0)
                    return code
                }
            }
            let answer = try handle.answer(to: id, type: gp_LDAP_RES_BIND, until: deadline)
            let result = try handle.result(answer)
            guard result.code == LDAP_SUCCESS else {
                let error = result.error(of: .bind)
                if case .unavailable = error { throw handle.broken(error) }
                throw error
            }
        }
    }

    /// The identity that the server has assigned to this connection, asked for with "Who am I?"
    /// (RFC 4532).
    /// - Returns: nil if the server does not know the operation.
    package func identity() throws(DirectoryError) -> DirectoryIdentity? {
        let deadline = self.deadline(seconds: self.limits.answerSeconds)
        return try self.perform(until: deadline) { handle throws(DirectoryError) in
            let id = try handle.request { ldap, id in
                ldap_extended_operation(ldap, LDAP_EXOP_WHO_AM_I, nil, nil, nil, &id)
            }
            let answer = try handle.answer(to: id, type: gp_LDAP_RES_EXTENDED, until: deadline)
            let result = try handle.result(answer)
            switch result.code {
            case LDAP_SUCCESS:
                guard let identity = DirectoryIdentity(answer.extendedValue) else {
                    throw handle.unexpected()
                }
                return identity
            case LDAP_PROTOCOL_ERROR:
                // RFC 4511 §4.12: the answer to an unknown extended request.
                return nil
            default:
                throw result.error(of: .identity)
            }
        }
    }
}
