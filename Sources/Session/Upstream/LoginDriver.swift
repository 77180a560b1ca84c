package import struct NIOCore.ByteBuffer

/// Drives the login at a server, for every protocol: cuts answers out of what arrives and gives them to the protocol's
/// machine.
///
/// Nothing that arrived before TLS is read after it (RFC 9051 §6.2.1, RFC 3207 §4.2): STARTTLS begins with an empty
/// reader, and only where nothing came behind the server's consent.
package struct LoginDriver<Login: ServerLogin>: Sendable {
    package private(set) var login: Login
    private var reader = Login.Reader()
    private var isNegotiatingTLS = false
    private var hasAnswered = false
    /// Whether the server had the whole credential when its last answer came.
    package private(set) var owedVerdict = false

    package init(_ login: Login) {
        self.login = login
    }

    /// Whether the server has the whole credential, and has not answered.
    package var awaitsVerdict: Bool { self.login.awaitsVerdict }

    /// Whether the server speaks the protocol, whatever it says then.
    package var hasGreeted: Bool { self.hasAnswered || self.reader.beginsGreeting }

    /// Octets arrived; ``next()`` has what they ask for.
    package mutating func receive(_ octets: ByteBuffer) throws(LoginViolation) {
        guard !self.isNegotiatingTLS else { throw .octetsBeforeTLS }
        guard self.login.takesOctets(octets.readableBytes) else { throw .tooMuch }
        self.reader.receive(octets)
    }

    /// What the next answer asks for; nil while more octets are needed. Not to be asked once the login is over.
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

    /// TLS is up after STARTTLS; elsewhere this changes nothing.
    package mutating func tlsEstablished() -> [Login.Step] {
        guard self.isNegotiatingTLS else { return [] }
        self.isNegotiatingTLS = false
        return self.login.tlsEstablished()
    }

    /// What came behind the answer that ended the login.
    package mutating func takeBuffered() -> ByteBuffer {
        self.reader.takeBuffered()
    }
}
