package import SASL
package import SMTP

import struct NIOCore.ByteBuffer

/// The extensions of a submission server, from its answer to EHLO (RFC 5321 §4.1.1.1).
package struct SubmissionProfile: Equatable, Sendable {
    /// Keywords in upper case.
    private var keywords: Set<String> = []
    /// SASL mechanisms of the AUTH keyword, in upper case (RFC 4954 §3).
    private var mechanisms: Set<String> = []

    /// The keywords in alphabetical order.
    package var extensions: [String] { self.keywords.sorted() }

    /// - Parameter lines: the lines of the answer to EHLO; the first one is the greeting and is skipped.
    init(lines: [String]) {
        for line in lines.dropFirst() {
            let words = line.split(separator: " ").map { $0.uppercased() }
            guard let keyword = words.first else { continue }
            self.keywords.insert(keyword)
            if keyword == "AUTH" { self.mechanisms.formUnion(words.dropFirst()) }
        }
    }

    /// - Parameter keyword: in upper case.
    func has(_ keyword: String) -> Bool { self.keywords.contains(keyword) }

    func hasMechanism(_ mechanism: SASLMechanism) -> Bool {
        self.mechanisms.contains(mechanism.rawValue)
    }
}

/// The login at a submission server, from its greeting until the gateway is logged in (RFC 4954).
///
/// Extensions received before STARTTLS are discarded (RFC 3207 §4.2). If the account requires STARTTLS, no
/// credential is sent before the TLS handshake.
package struct SubmissionLogin: Sendable {
    package typealias Step = LoginAction<SubmissionProfile, SubmissionFault>

    private enum State: Sendable {
        /// The server's greeting is awaited.
        case greeting
        /// EHLO was sent.
        case hello
        /// STARTTLS was sent.
        case startTLS
        case negotiatingTLS
        /// AUTH was sent without the message; the server must ask for it.
        case challenge
        /// AUTH LOGIN was sent; the server must ask for the name.
        case name
        /// The name was sent; the server must ask for the password.
        case password
        /// The whole credential was sent.
        case finished
        /// The server sent the reason why it refuses a token, and got an empty line.
        case refused
        case failed
        case loggedIn
    }

    private var state = State.greeting
    /// Whether STARTTLS is still required before the credential may be sent.
    private var needsStartTLS: Bool
    private let credential: UpstreamCredential
    private let name: String
    /// The extensions from the last EHLO; after STARTTLS, EHLO is sent again.
    private var profile = SubmissionProfile(lines: [])

    /// - Parameters:
    ///   - startsTLS: whether the connection needs STARTTLS before the login.
    ///   - name: the gateway's name in EHLO.
    package init(credential: UpstreamCredential, startsTLS: Bool, name: String) {
        self.credential = credential
        self.name = name
        self.needsStartTLS = startsTLS
    }

    /// Whether the server has the whole credential and has not yet accepted or refused it.
    package var awaitsVerdict: Bool {
        switch self.state {
        case .finished, .refused: true
        default: false
        }
    }

    /// The TLS handshake after STARTTLS is complete. Sends EHLO again, because the extensions may differ
    /// (RFC 3207 §4.2).
    package mutating func tlsEstablished() -> [Step] {
        self.needsStartTLS = false
        return [self.hello()]
    }

    /// Takes one reply and returns the next step. An unexpected reply code ends the login.
    package mutating func replyReceived(_ reply: ServerReply) -> Step {
        switch self.state {
        case .greeting:
            return reply.code == 220 ? self.hello() : .fail(.unreachable)
        case .hello:
            guard reply.code == 250 else { return .fail(.unreachable) }
            return self.greeted(SubmissionProfile(lines: reply.lines))
        case .startTLS:
            guard reply.code == 220 else { return .fail(.unreachable) }
            self.state = .negotiatingTLS
            return .startTLS
        case .name:
            return self.challenged(
                reply,
                answer: Base64.encode(self.credential.username),
                then: .password
            )
        case .password:
            return self.challenged(
                reply,
                answer: Base64.encode(self.credential.password ?? []),
                then: .finished
            )
        case .challenge:
            return self.challenged(reply, answer: self.credential.message, then: .finished)
        case .finished where reply.code == 334 && self.credential.password == nil:
            // A server may send the reason for refusing a token as a challenge; the client answers with an empty line.
            self.state = .refused
            return .send(ByteBuffer(staticString: "\r\n"))
        case .finished, .refused:
            // RFC 4954 §6: 535 for a wrong password; 454 and other codes for temporary failures.
            guard reply.isPositive else {
                self.state = .failed
                return .fail(SubmissionFault(refusal: reply))
            }
            self.state = .loggedIn
            return .ready(self.profile)
        case .negotiatingTLS, .loggedIn, .failed:
            return .fail(.unreachable)
        }
    }

    private mutating func hello() -> Step {
        self.state = .hello
        return .send(Self.line("EHLO ", octets: Array(self.name.utf8)))
    }

    /// The server answered EHLO: starts TLS if it is still needed, else the login.
    private mutating func greeted(_ profile: SubmissionProfile) -> Step {
        if self.needsStartTLS {
            guard profile.has("STARTTLS") else { return .fail(.unreachable) }
            self.state = .startTLS
            return .send(ByteBuffer(staticString: "STARTTLS\r\n"))
        }
        self.profile = profile
        if profile.hasMechanism(self.credential.mechanism) {
            return self.authenticate(self.credential.mechanism)
        }
        guard profile.hasMechanism(.login), self.credential.password != nil else {
            return .fail(.noMechanism)
        }
        self.state = .name
        return .send(ByteBuffer(staticString: "AUTH LOGIN\r\n"))
    }

    /// Sends AUTH with the SASL message in the command, if the line with its line end has at most 512 octets
    /// (RFC 4954 §4). Otherwise the server has to ask for the message.
    private mutating func authenticate(_ mechanism: SASLMechanism) -> Step {
        var line = Self.line("AUTH ", octets: Array("\(mechanism) ".utf8) + self.credential.message)
        self.state = .finished
        if line.readableBytes > 512 {
            self.state = .challenge
            line = Self.line("AUTH ", octets: Array(mechanism.rawValue.utf8))
        }
        return .send(line)
    }

    /// Answers a challenge (334) with the next part of the credential. Any other reply ends the login.
    private mutating func challenged(
        _ reply: ServerReply,
        answer: [UInt8],
        then next: State
    ) -> Step {
        // The server does not have the whole credential yet, so this reply does not refuse the credential.
        guard reply.code == 334 else {
            return .fail(reply.isPermanent ? .noMechanism : .unreachable)
        }
        self.state = next
        return .send(Self.line("", octets: answer))
    }

    private static func line(_ word: StaticString, octets: [UInt8]) -> ByteBuffer {
        var line = ByteBuffer(staticString: word)
        line.writeBytes(octets)
        line.writeStaticString("\r\n")
        return line
    }
}

extension SubmissionLogin: ServerLogin {
    package typealias Reader = ServerReplyReader
    package typealias Profile = SubmissionProfile
    package typealias Failure = SubmissionFault

    /// A server must not answer a command before it has received the command.
    package static var allowsOctetsBehindAnswer: Bool { false }

    /// Always true: the reader limits each reply, and the login ends after a few replies.
    package mutating func takesOctets(_ count: Int) -> Bool { true }

    package mutating func answerReceived(_ answer: ServerReply, isLast: Bool) -> [Step] {
        [self.replyReceived(answer)]
    }
}

extension ServerReplyReader: AnswerReader {
    package mutating func nextAnswer() throws(LoginViolation) -> ServerReply? {
        do {
            return try self.next()
        } catch {
            throw .unreadable("what it says is no SMTP", isTooLong: false)
        }
    }

    /// Always false: only a whole reply shows that the server speaks SMTP.
    package var beginsGreeting: Bool { false }
}

extension SubmissionFault: LoginFailure {
    /// Only a permanent reply to the whole credential counts as a refusal of the credential.
    package var verdict: CredentialVerdict {
        switch self {
        case .credentialRefused: .refused
        case .temporarilyRefused: .undecided
        case .unreachable, .credentialSuspended, .serverUnanswering, .noMechanism, .noServer:
            .unanswered
        }
    }

    /// The fault for a negative reply to a login (RFC 4954 §6). A server may send 421 in answer to any command, before
    /// it closes the connection (RFC 5321 §3.8), so 421 says nothing about the credential.
    package init(refusal reply: ServerReply) {
        switch reply.code {
        case 500...: self = .credentialRefused
        case 400..<500 where reply.code != 421: self = .temporarilyRefused
        default: self = .unreachable
        }
    }
}
