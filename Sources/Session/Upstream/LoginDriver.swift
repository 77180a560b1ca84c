package import struct NIOCore.ByteBuffer

/// Drives the login at a server for every protocol: it splits the octets into answers and passes them to the state
/// machine of the protocol.
///
/// Octets that arrived before TLS are never read after it (RFC 9051 §6.2.1, RFC 3207 §4.2). STARTTLS starts with an
/// empty reader, and only if no octets follow the server's positive answer.
package struct LoginDriver<Login: ServerLogin>: Sendable {
    package private(set) var login: Login
    private var reader = Login.Reader()
    private var isNegotiatingTLS = false
    private var hasAnswered = false
    /// Whether the server had the whole credential when it sent its last answer.
    package private(set) var owedVerdict = false

    package init(_ login: Login) {
        self.login = login
    }

    /// Whether the server has the whole credential and has not yet accepted or refused it.
    package var awaitsVerdict: Bool { self.login.awaitsVerdict }

    /// Whether the server has sent a whole answer or the beginning of a greeting of the protocol.
    package var hasGreeted: Bool { self.hasAnswered || self.reader.beginsGreeting }

    /// Takes octets of the server. Call ``next()`` until it returns nil.
    ///
    /// - Throws: ``LoginViolation/octetsBeforeTLS`` or ``LoginViolation/tooMuch``.
    package mutating func receive(_ octets: ByteBuffer) throws(LoginViolation) {
        guard !self.isNegotiatingTLS else { throw .octetsBeforeTLS }
        guard self.login.takesOctets(octets.readableBytes) else { throw .tooMuch }
        self.reader.receive(octets)
    }

    /// The actions for the next answer; nil if more octets are needed. Do not call it after the login has ended.
    ///
    /// - Throws: ``LoginViolation/unreadable(_:isTooLong:)`` or ``LoginViolation/octetsBehindAnswer``.
    package mutating func next() throws(LoginViolation) -> [Login.Step]? {
        guard let answer = try self.reader.nextAnswer() else { return nil }
        let isLast = self.reader.bufferedOctets == 0
        guard isLast || Login.allowsOctetsBehindAnswer else { throw .octetsBehindAnswer }
        self.hasAnswered = true
        self.owedVerdict = self.login.awaitsVerdict
        let actions = self.login.answerReceived(answer, isLast: isLast)
        guard actions.contains(.startTLS) else { return actions }
        guard isLast else { throw .octetsBehindAnswer }
        self.reader = Login.Reader()
        self.isNegotiatingTLS = true
        return actions
    }

    /// The TLS handshake after STARTTLS is complete. Without STARTTLS this does nothing.
    package mutating func tlsEstablished() -> [Login.Step] {
        guard self.isNegotiatingTLS else { return [] }
        self.isNegotiatingTLS = false
        return self.login.tlsEstablished()
    }

    /// Removes and returns the octets that follow the last answer of the login.
    package mutating func takeBuffered() -> ByteBuffer {
        self.reader.takeBuffered()
    }
}
