import NIOCore
import SASL
import SMTP
import Session
import Testing

/// What the login to a server reads before and after TLS.
@Suite struct LoginDriverTests {
    private static func mail(_ security: UpstreamLogin.Security) -> LoginDriver<UpstreamLogin> {
        let credential = UpstreamCredential(
            username: Array("bob".utf8),
            proof: .password(Secret(Array("s3cret".utf8)))
        )
        return LoginDriver(
            UpstreamLogin(
                security: security,
                credential: credential,
                known: nil,
                tags: UpstreamTags(random: 7)
            )
        )
    }

    /// Hands over octets and takes all actions.
    private static func give<Login: ServerLogin>(
        _ text: String,
        to driver: inout LoginDriver<Login>
    ) throws(LoginViolation) -> [Login.Step] {
        try driver.receive(ByteBuffer(string: text))
        var actions: [Login.Step] = []
        while let more = try driver.next() { actions += more }
        return actions
    }

    private static func line<Profile, Failure>(
        _ actions: [LoginAction<Profile, Failure>]
    ) -> String? {
        guard actions.count == 1, case .send(let octets) = actions[0] else { return nil }
        return String(buffer: octets)
    }

    @Test func `capabilities are read again after STARTTLS`() throws {
        var driver = Self.mail(.startTLS)
        let offer = "* OK [CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN] hi\r\n"
        let first = try #require(try Self.line(Self.give(offer, to: &driver)))
        let tag = first.prefix { $0 != " " }
        let second = try Self.give(
            "* CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN\r\n\(tag) OK done\r\n",
            to: &driver
        )
        let startTLS = try #require(Self.line(second)).prefix { $0 != " " }
        #expect(try Self.give("\(startTLS) OK go\r\n", to: &driver) == [.startTLS])
        let third = try #require(Self.line(driver.tlsEstablished()))
        #expect(third.hasSuffix(" CAPABILITY\r\n"))
        // Capabilities from before TLS do not count.
        let last = third.prefix { $0 != " " }
        let end = try Self.give("* CAPABILITY IMAP4rev1\r\n\(last) OK done\r\n", to: &driver)
        #expect(Self.line(end)?.contains("LOGIN \"bob\"") == true)
    }

    @Test func `octets between STARTTLS and TLS are a violation in IMAP and SMTP`() throws {
        var mail = Self.mail(.startTLS)
        let first = try #require(try Self.line(Self.give("* OK hi\r\n", to: &mail)))
        let tag = first.prefix { $0 != " " }
        let offer = "* CAPABILITY IMAP4rev1 STARTTLS\r\n\(tag) OK done\r\n"
        let second = try #require(try Self.line(Self.give(offer, to: &mail)))
        _ = try Self.give("\(second.prefix { $0 != " " }) OK go\r\n", to: &mail)
        #expect(throws: LoginViolation.octetsBeforeTLS) {
            try mail.receive(ByteBuffer(string: "*"))
        }
        var sending = LoginDriver(SubmissionLogin.scripted(startsTLS: true))
        for text in ["220 x\r\n", "250-x\r\n250 STARTTLS\r\n"] {
            _ = try Self.give(text, to: &sending)
        }
        #expect(try Self.give("220 go\r\n", to: &sending) == [.startTLS])
        #expect(throws: LoginViolation.octetsBeforeTLS) {
            try sending.receive(ByteBuffer(string: "2"))
        }
    }

    @Test func `an unrequested TLS event changes nothing`() throws {
        var sending = LoginDriver(SubmissionLogin.scripted())
        #expect(sending.tlsEstablished() == [])
        #expect(try Self.line(Self.give("220 x\r\n", to: &sending)) == "EHLO gw.example\r\n")
        #expect(sending.tlsEstablished() == [])
    }

    @Test func `a login with too many octets fails`() {
        var driver = Self.mail(.established)
        #expect(throws: LoginViolation.tooMuch) {
            try driver.receive(
                ByteBuffer(repeating: 0x20, count: UpstreamLogin.maximumOctets + 1)
            )
        }
    }

    @Test func `a server that greeted counts as a server of the protocol, whatever it sends next`()
        throws
    {
        var driver = Self.mail(.established)
        #expect(!driver.hasGreeted)
        try driver.receive(ByteBuffer(string: "* OK hello\n"))
        #expect(throws: LoginViolation.self) { try driver.next() }
        #expect(driver.hasGreeted)
        var other = Self.mail(.established)
        try other.receive(ByteBuffer(string: "+OK POP3\n"))
        #expect(throws: LoginViolation.self) { try other.next() }
        #expect(!other.hasGreeted)
    }
}
