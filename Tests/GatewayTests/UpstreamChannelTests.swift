import Access
import NIOCore
import NIOEmbedded
import Session
import Testing

@testable import Gateway
@testable import Store

/// The one channel to servers, for mail and for sending alike.
@Suite(.timeLimit(.minutes(20))) struct UpstreamChannelTests {
    typealias Side = ChannelTest.Side

    // MARK: - Octets

    @Test(arguments: Side.allCases)
    func `a login does not depend on where its octets are split`(side: Side) throws {
        for cut in 1...120 {
            let test = try ChannelTest(side)
            let heard = try test.serve { text in
                try test.server.say(text.octets(before: cut))
                try test.server.say(text.octets(from: cut))
            }
            #expect(test.heard.events == ["ready"], "cut behind \(cut) octets")
            #expect(heard.contains("AUTH"))
            let news = side == .mail ? "* 1 EXISTS\r\n" : "421 bye\r\n"
            try test.server.say(news.octets(before: cut))
            try test.server.say(news.octets(from: cut))
            #expect(test.heard.octets == news)
            #expect(test.upstream.isFree(side.service))
        }
    }

    @Test(arguments: Side.allCases)
    func `a login succeeds octet by octet`(side: Side) throws {
        let test = try ChannelTest(side)
        _ = try test.serve { try test.server.say($0, chunk: 1) }
        #expect(test.heard.events == ["ready"])
    }

    @Test(arguments: Side.allCases)
    func `a server may close after each octet of a login, even in a literal`(side: Side) throws {
        let whole = try ChannelTest(side)
        var octets = 0
        _ = try whole.serve {
            octets += $0.utf8.count
            try whole.server.say($0)
        }
        for end in 0..<octets {
            let test = try ChannelTest(side)
            var left = end
            _ = try test.serve { text in
                guard left > 0 else { return }
                try test.server.say(text.octets(before: left))
                left -= text.utf8.count
            }
            #expect(test.heard.events == [])
            test.server.hangUp()
            #expect(test.heard.events == ["closed"], "behind \(end) octets")
            #expect(test.heard.octets == "")
            #expect(test.upstream.isFree(side.service))
        }
    }

    @Test(arguments: Side.allCases)
    func `a connection that ends after the login, within a response, is reported as closed`(
        side: Side
    )
        throws
    {
        let test = try ChannelTest(side)
        try test.logIn()
        let part = side == .mail ? "* LIST () \"/\" {10}\r\nabc" : "250-abc"
        try test.server.say(part)
        test.server.hangUp()
        #expect(test.heard.octets == part)
        #expect(test.heard.events == ["ready", "ended"])
    }

    @Test func `a submission server must not send before the next command`() throws {
        for injected in ["250 x", "235 2.7.0 in\r\n", "2"] {
            let test = try ChannelTest(.sending)
            try test.server.say(test.greeting + injected)
            #expect(test.heard.events == ["violation"])
            #expect(!test.server.isActive)
            #expect(try test.server.heard() == "")
        }
    }

    @Test(arguments: [
        (Side.mail, "* OK hello\n"), (.mail, "+OK POP3\r\n"), (.sending, "hello\r\n"),
        (.sending, "220 x\n"), (.sending, "\u{1}\u{2}\r\n"),
    ])
    func `a server that speaks another protocol is disconnected`(side: Side, text: String) throws {
        let test = try ChannelTest(side)
        try test.server.say(text)
        #expect(test.heard.events.count == 1)
        #expect(test.heard.events != ["ready"])
        #expect(!test.server.isActive)
        #expect(test.upstream.isFree(side.service))
    }

    // MARK: - STARTTLS

    /// Leads a server to the gateway's STARTTLS.
    /// - Returns: the answer that begins TLS.
    private static func askForTLS(_ test: ChannelTest) throws -> String {
        try test.server.say(test.greeting)
        let first = try test.server.heard()
        try test.server.say(test.answer(to: first, startsTLS: true))
        let second = try test.server.heard()
        #expect(second.contains("STARTTLS"))
        return test.answer(to: second, startsTLS: true)
    }

    /// What somebody in the line says in the server's name, so that the gateway gives the password away.
    private static func injected(_ side: Side) -> String {
        side == .mail
            ? "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n"
            : "250-server\r\n250 AUTH PLAIN LOGIN\r\n"
    }

    private static func expectNothingGiven(_ test: ChannelTest, _ comment: Comment) throws {
        #expect(test.heard.events.count == 1, comment)
        #expect(test.heard.events != ["ready"], comment)
        #expect(test.heard.octets == "", comment)
        #expect(!test.server.isActive, comment)
        let sent = try test.server.heard()
        for secret in ["AUTH", "LOGIN", "EHLO", "CAPABILITY", "c2VjcmV0"] {
            #expect(!sent.contains(secret), comment)
        }
        #expect(test.upstream.isFree(test.side.service), comment)
    }

    @Test(arguments: Side.allCases)
    func `octets in the same read as the STARTTLS response end the connection`(side: Side) throws {
        let injected = Self.injected(side)
        for count in 1...injected.utf8.count {
            let test = try ChannelTest(side, tls: .starttls)
            let consent = try Self.askForTLS(test)
            try test.server.say(consent + injected.octets(before: count))
            try test.server.say(injected.octets(from: count))
            try Self.expectNothingGiven(test, "\(count) octets")
        }
    }

    @Test(arguments: Side.allCases)
    func `unencrypted octets after the STARTTLS response are not a response`(side: Side) throws {
        let test = try ChannelTest(side, tls: .starttls)
        let consent = try Self.askForTLS(test)
        try test.server.say(consent)
        // The client's part of a handshake.
        #expect(try !test.server.heard().isEmpty)
        try? test.server.say(Self.injected(side))
        #expect(test.heard.events == ["TLS"])
        try Self.expectNothingGiven(test, "behind the consent")
    }

    @Test(arguments: Side.allCases)
    func `a server without STARTTLS gets no credential`(side: Side) throws {
        let test = try ChannelTest(side, tls: .starttls)
        try test.server.say(test.greeting)
        let first = try test.server.heard()
        try test.server.say(test.answer(to: first, startsTLS: false))
        try Self.expectNothingGiven(test, "none offered")
    }

    // MARK: - Time

    @Test(arguments: Side.allCases)
    func `a silent server is disconnected after the time for a login`(side: Side) throws {
        let test = try ChannelTest(side)
        test.upstream.loop.advanceTime(by: .milliseconds(14_999))
        #expect(test.heard.events == [])
        test.upstream.loop.advanceTime(by: .milliseconds(1))
        #expect(test.heard.events == ["timed out"])
        #expect(!test.server.isActive)
        #expect(test.upstream.isFree(side.service))
    }

    @Test(arguments: Side.allCases)
    func `a server that has the credential is heard for the time of an answer`(side: Side) throws {
        for isRefusal in [false, true] {
            let test = try ChannelTest(side)
            test.upstream.loop.advanceTime(by: .seconds(10))
            let login = try Self.login(test)
            test.upstream.loop.advanceTime(by: .seconds(5))
            #expect(test.heard.events == ["slow"])
            #expect(test.server.isActive)
            test.upstream.loop.advanceTime(by: .milliseconds(9_999))
            if isRefusal {
                let tag = login.prefix { $0 != " " }
                try test.server.say(side == .mail ? "\(tag) NO wrong\r\n" : "535 wrong\r\n")
                #expect(test.heard.events == ["slow", "credentialRefused"])
            } else {
                test.upstream.loop.advanceTime(by: .milliseconds(1))
                #expect(test.heard.events == ["slow", "timed out"])
            }
            #expect(!test.server.isActive)
            let denial = test.upstream.breaker.denial(
                test.upstream.account,
                service: side.service
            )
            #expect(denial == (isRefusal ? .credentialRefused : nil))
        }
    }

    /// Leads a server to the credential.
    /// - Returns: the command with it.
    private static func login(_ test: ChannelTest) throws -> String {
        try test.server.say(test.greeting)
        let first = try test.server.heard()
        try test.server.say(test.answer(to: first))
        let login = try test.server.heard()
        #expect(login.contains("AUTH"))
        return login
    }

    @Test(arguments: Side.allCases)
    func `the login timeout ends with the login`(side: Side) throws {
        let test = try ChannelTest(side)
        try test.logIn()
        test.upstream.loop.advanceTime(by: .hours(1))
        #expect(test.heard.events == ["ready"])
        #expect(test.server.isActive)
    }

    @Test(arguments: Side.allCases)
    func `silence counts from the last octet, and only while the server is read`(side: Side) throws
    {
        let test = try ChannelTest(side)
        try test.logIn()
        let time = GatewayConfiguration.Limits().upstreamAnswerTime
        test.write("NOOP\r\n")
        #expect(try test.server.heard() == "NOOP\r\n")
        test.upstream.loop.advanceTime(by: time - .milliseconds(1))
        #expect(!test.isSilent())
        test.upstream.loop.advanceTime(by: .milliseconds(1))
        #expect(test.isSilent())
        try test.server.say("2")
        #expect(!test.isSilent())
        test.heard.wantsOctets = false
        test.server.read()
        test.upstream.loop.advanceTime(by: time + time)
        #expect(!test.isSilent())
        test.heard.wantsOctets = true
        test.resumeReading()
        test.upstream.loop.advanceTime(by: time)
        #expect(test.isSilent())
    }

    // MARK: - The end

    @Test(arguments: Side.allCases)
    func `a closed connection sends no events to its delegate`(side: Side) throws {
        let test = try ChannelTest(side)
        try test.logIn()
        test.close()
        test.upstream.loop.run()
        #expect(!test.server.isActive)
        #expect(test.heard.events == ["ready"])
    }

    @Test(arguments: Side.allCases)
    func `a suspended credential is not used`(side: Side) throws {
        let upstream = try TestUpstream()
        upstream.breaker.refused(upstream.account, service: side.service)
        let test = try ChannelTest(side, at: upstream)
        #expect(upstream.connector.channels.isEmpty)
        #expect(test.heard.events == ["denied credentialSuspended"])
    }

    @Test func `a fourth connection to a mailbox at Exchange waits for one of three to end`() throws
    {
        let upstream = try TestUpstream(kind: .exchange)
        let first = try ChannelTest(.sending, at: upstream)
        try first.logIn()
        for _ in 2...3 { try ChannelTest(.sending, at: upstream).logIn() }
        _ = try ChannelTest(.sending, at: upstream)
        #expect(upstream.connector.channels.count == 3)
        first.close()
        upstream.loop.run()
        #expect(upstream.connector.channels.count == 4)
    }

    @Test(arguments: Side.allCases)
    func `of a host's addresses the first one that is reached is used`(side: Side) throws {
        let test = try ChannelTest(side, at: TestUpstream(addresses: 3))
        try test.logIn()
        #expect(test.heard.events == ["ready"])
        test.write("x")
        #expect(try test.server.heard().hasSuffix("x"))
        test.server.hangUp()
        #expect(test.heard.events == ["ready", "ended"])
    }

    @Test(arguments: Side.allCases)
    func `a connection that is closed before it is established leaves no attempt`(
        side: Side
    ) throws {
        let test = try ChannelTest(side, at: TestUpstream(addresses: 3, isReached: false))
        #expect(test.upstream.connector.channels.count == 3)
        test.close()
        test.upstream.loop.run()
        for channel in test.upstream.connector.channels {
            try test.upstream.loop.value(of: channel.closeFuture)
        }
        #expect(test.heard.events == [])
        #expect(test.upstream.isFree(side.service))
    }
}
