package import SASL
package import SMTP

import struct NIOCore.ByteBuffer

/// What a server for sending can do, from its answer to EHLO.
package struct SubmissionProfile: Equatable, Sendable {
    /// Keywords in upper case.
    private var keywords: Set<String> = []
    private var mechanisms: Set<String> = []

    /// The keywords in order.
    package var extensions: [String] { self.keywords.sorted() }

    /// - Parameter lines: of the answer to EHLO, the greeting first.
    init(lines: [String]) {
        for line in lines.dropFirst() {
            let words = line.split(separator: " ").map { $0.uppercased() }
            guard let keyword = words.first else { continue }
            self.keywords.insert(keyword)
            if keyword == "AUTH" { self.mechanisms.formUnion(words.dropFirst()) }
        }
    }

    func has(_ keyword: String) -> Bool { self.keywords.contains(keyword) }

    func hasMechanism(_ mechanism: SASLMechanism) -> Bool {
        self.mechanisms.contains(mechanism.rawValue)
    }
}

/// The conversation with a server for sending, from its greeting until the gateway is logged in.
///
/// Nothing said before STARTTLS counts after it (RFC 3207 §4.2), and no password leaves before
/// TLS where TLS is asked for.
package struct SubmissionLogin: Sendable {
    package typealias Step = LoginAction<SubmissionProfile, SubmissionFault>

    private enum State: Sendable {
        case greeting
        case hello
        case startTLS
        case negotiatingTLS
        case challenge
        case name
        case password
        case finished
        case refused
        case failed
        case loggedIn
    }

    private var state = State.greeting
    private var needsStartTLS: Bool
    private let credential: UpstreamCredential
    private let name: String
    private var profile = SubmissionProfile(lines: [])

    /// - Parameters:
    ///   - startsTLS: whether TLS begins with STARTTLS.
    ///   - name: what the gateway calls itself in EHLO.
    package init(credential: UpstreamCredential, startsTLS: Bool, name: String) {
        self.credential = credential
        self.name = name
        self.needsStartTLS = startsTLS
    }

    /// Whether the server has the whole credential, and has not answered.
    package var awaitsVerdict: Bool {
        switch self.state {
        case .finished, .refused: true
        default: false
        }
    }

    package mutating func tlsEstablished() -> [Step] {
        self.needsStartTLS = false
        return [self.hello()]
    }

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
            // Why a token was refused may come as a challenge, which wants an empty answer.
            self.state = .refused
            return .send(ByteBuffer(staticString: "\r\n"))
        case .finished, .refused:
            // RFC 4954 §6: 535 for a wrong password; 454 and others for what may pass.
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

    /// With the message in the command, where the line stays within its limit: 512 octets with the
    /// line end (RFC 4954 §4).
    private mutating func authenticate(_ mechanism: SASLMechanism) -> Step {
        var line = Self.line("AUTH ", octets: Array("\(mechanism) ".utf8) + self.credential.message)
        self.state = .finished
        if line.readableBytes > 512 {
            self.state = .challenge
            line = Self.line("AUTH ", octets: Array(mechanism.rawValue.utf8))
        }
        return .send(line)
    }

    private mutating func challenged(
        _ reply: ServerReply,
        answer: [UInt8],
        then next: State
    ) -> Step {
        // The server does not have the whole credential yet: this is no failed login.
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

    /// The answer to a command cannot be there before the command.
    package static var allowsOctetsBehindAnswer: Bool { false }

    /// Each answer has a limit, and after a few of them the login is over.
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

    package var beginsGreeting: Bool { false }
}

extension SubmissionFault: LoginFailure {
    package var verdict: CredentialVerdict {
        switch self {
        case .credentialRefused: .refused
        case .temporarilyRefused: .undecided
        case .unreachable, .credentialSuspended, .serverUnanswering, .noMechanism, .noServer:
            .unanswered
        }
    }

    /// What an answer to a login means that is none of success (RFC 4954 §6). 421 is said by a server that closes the
    /// connection, whatever it was asked (RFC 5321 §3.8).
    package init(refusal reply: ServerReply) {
        switch reply.code {
        case 500...: self = .credentialRefused
        case 400..<500 where reply.code != 421: self = .temporarilyRefused
        default: self = .unreachable
        }
    }
}
