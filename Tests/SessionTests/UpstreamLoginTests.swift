import IMAP
import NIOCore
import SASL
import Session
import Testing

@Suite struct UpstreamLoginTests {
    /// Runs a login against scripted responses. `T` stands for the tag of the command in flight, `ID` for the tag of
    /// the ID command.
    private func run(
        _ security: UpstreamLogin.Security,
        known: UpstreamProfile? = nil,
        token: Bool = false,
        isLast: Bool = true,
        _ responses: [String]
    ) -> (sent: [String], last: UpstreamLogin.Action?) {
        var login = UpstreamLogin(
            security: security,
            credential: UpstreamCredential(
                username: Array("bob".utf8),
                proof: token
                    ? .token(Secret(Array("t0k".utf8)))
                    : .password(Secret(Array("s3cret".utf8)))
            ),
            known: known,
            tags: UpstreamTags(random: 7)
        )
        var sent: [String] = []
        var tag = ""
        var identification = ""
        var last: UpstreamLogin.Action?
        for response in responses {
            let actions: [UpstreamLogin.Action]
            if response == "(TLS)" {
                actions = login.tlsEstablished()
            } else {
                var text = response.hasPrefix("T ") ? tag + response.dropFirst(1) : response
                if text.hasPrefix("ID ") { text = identification + text.dropFirst(2) }
                actions = login.responseReceived(
                    ByteBuffer(string: text + "\r\n"),
                    isLast: isLast
                )
            }
            for action in actions {
                last = action
                guard case .send(let octets) = action else { continue }
                var line = String(buffer: octets)
                line.removeLast()
                if let space = line.firstIndex(of: " ") {
                    tag = String(line[..<space])
                    if line.contains(" ID (") { identification = tag }
                    line = "T" + line[space...]
                }
                sent.append(line)
            }
        }
        return (sent, last)
    }

    @Test func `a greeting with capabilities saves the CAPABILITY command`() {
        let (sent, last) = self.run(
            .established,
            [
                "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi",
                "T OK [CAPABILITY IMAP4rev1 IDLE NAMESPACE] in",
                "* NAMESPACE ((\"\" \".\")) NIL ((\"Public.\" \".\"))",
                "T OK done",
                "* LIST (\\Noselect) \".\" \"\"",
                "T OK done",
            ]
        )
        #expect(
            sent == [
                "T AUTHENTICATE PLAIN AGJvYgBzM2NyZXQ=", "T NAMESPACE", "T LIST \"\" \"\"",
            ]
        )
        #expect(
            last
                == .ready(
                    UpstreamProfile(
                        capabilities: ["IMAP4REV1", "IDLE", "NAMESPACE"],
                        delimiter: UInt8(ascii: "."),
                        personalPrefixes: [[]],
                        foreignPrefixes: [Array("Public.".utf8)]
                    )
                )
        )
    }

    @Test(arguments: [
        ("T OK in", UpstreamLogin.Failure.unexpectedResponse),
        ("T NO [AUTHENTICATIONFAILED] wrong", .temporarilyRefused),
        ("T BAD what", .temporarilyRefused),
    ])
    func `an answer before the credential was sent judges no credential`(
        answer: String,
        failure: UpstreamLogin.Failure
    ) {
        let (sent, last) = self.run(
            .established,
            ["* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi", answer]
        )
        #expect(sent == ["T AUTHENTICATE PLAIN"])
        #expect(last == .fail(failure))
    }

    @Test func `STARTTLS precedes the credential, and CAPABILITY is sent again`() {
        let (sent, _) = self.run(
            .startTLS,
            [
                "* OK hi", "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR", "T OK done",
                "T OK begin", "(TLS)", "* CAPABILITY IMAP4rev1", "T OK done",
            ]
        )
        #expect(
            sent == [
                "T CAPABILITY", "T STARTTLS", "T CAPABILITY", "T LOGIN \"bob\" \"s3cret\"",
            ]
        )
    }

    static let failures: [(UpstreamLogin.Security, [String], UpstreamLogin.Failure)] = [
        (.established, ["* PREAUTH hi"], .preauthenticated),
        (.startTLS, ["* PREAUTH hi"], .preauthenticated),
        (.established, ["* BYE no"], .refusedGreeting),
        (.established, ["* BAD no"], .refusedGreeting),
        (.established, ["220 smtp.example ESMTP"], .notIMAP),
        (.established, ["HTTP/1.1 400 Bad Request"], .notIMAP),
        (.established, ["* 1 EXISTS"], .notIMAP),
        // A server that sent an IMAP greeting is an IMAP server.
        (.established, ["* OK hi", "* OK[ALERT] x"], .unexpectedResponse),
        (.established, ["* OK hi", "* CAPABILITY IMAP4rev1\tIDLE"], .unexpectedResponse),
        (.established, ["* CAPABILITY IMAP4rev1"], .notIMAP),
        (.startTLS, ["* OK hi", "* CAPABILITY IMAP4rev1", "T OK done"], .noStartTLS),
        (.startTLS, ["* OK hi", "* CAPABILITY STARTTLS", "T OK", "T NO later"], .noStartTLS),
        (.startTLS, ["* OK hi", "* CAPABILITY STARTTLS", "X1 OK done"], .unexpectedResponse),
        (.established, ["* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi"], .noMechanism),
        (
            .established, ["* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi", "T NO no"],
            .credentialRefused
        ),
        (
            .established,
            [
                "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi",
                "* LIST () \"/\" \"Click me\"",
            ],
            .unexpectedResponse
        ),
        (
            .established, ["* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi", "+ "],
            .unexpectedResponse
        ),
    ]

    @Test(arguments: failures)
    func `an unexpected response ends the login`(
        security: UpstreamLogin.Security,
        responses: [String],
        failure: UpstreamLogin.Failure
    ) {
        let (sent, last) = self.run(security, responses)
        #expect(last == .fail(failure))
        if security == .startTLS { #expect(!sent.contains { $0.contains("s3cret") }) }
    }

    @Test func `a known profile saves the commands after the login`() {
        let known = UpstreamProfile(capabilities: ["IDLE"], delimiter: UInt8(ascii: "/"))
        let (sent, last) = self.run(
            .established,
            known: known,
            [
                "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi", "+ ", "T OK in",
            ]
        )
        #expect(sent.count == 2)
        #expect(last == .ready(known))
    }

    private static let identification = "T ID (\"name\" \"Gatepost\" \"vendor\" \"Gatepost\")"

    @Test func `ID is pipelined with the next command if the server offers it`() {
        let begun = [
            "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi",
            "T OK [CAPABILITY IMAP4rev1 ID] in",
        ]
        let (sent, last) = self.run(.established, begun)
        #expect(sent.suffix(2) == [Self.identification, "T LIST \"\" \"\""])
        #expect(last != nil)
        let list = ["* LIST (\\Noselect) \"/\" \"\"", "T OK done"]
        for answer in ["ID OK done", "ID NO never", "ID BAD what"] {
            let (_, early) = self.run(.established, begun + [answer] + list)
            let (_, late) = self.run(.established, begun + list + ["* ID NIL", answer])
            for last in [early, late] {
                guard case .ready(let profile) = last else {
                    Issue.record("\(answer): \(String(describing: last))")
                    continue
                }
                #expect(profile.has("ID"))
            }
        }
        // After the login no other command is sent until ID is answered.
        guard case .send = self.run(.established, begun + list).last else {
            Issue.record("it does not wait for the answer to ID")
            return
        }
    }

    @Test func `with a known profile ID is sent at the end of the login`() {
        let known = UpstreamProfile(capabilities: ["ID"], delimiter: UInt8(ascii: "/"))
        let (sent, last) = self.run(
            .established,
            known: known,
            ["* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID] hi", "T OK in"]
        )
        #expect(sent == ["T AUTHENTICATE PLAIN AGJvYgBzM2NyZXQ=", Self.identification])
        #expect(last == .ready(known))
    }

    @Test func `a server that does not offer ID gets no ID command`() {
        let (sent, _) = self.run(
            .established,
            ["* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi", "T OK [CAPABILITY IMAP4rev1] in"]
        )
        #expect(!sent.contains(Self.identification))
    }

    @Test func `tags of two connections differ`() {
        var one = UpstreamTags(random: 1)
        var other = UpstreamTags(random: 2)
        #expect(one.next() != other.next())
        #expect(one.next() != one.next())
    }

    // MARK: - Exchange Online

    private static let exchange = [
        "* OK The Microsoft Exchange IMAP4 service is ready. [TQBBADAA]",
        "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN "
            + "IDLE NAMESPACE LITERAL+",
        "T OK CAPABILITY completed.",
    ]

    @Test func `a token login always learns the profile again`() {
        let rest = [
            "T OK AUTHENTICATE completed.",
            "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT "
                + "CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE "
                + "NAMESPACE LITERAL+",
            "T OK CAPABILITY completed.",
            "* ID (\"name\" \"Microsoft.Exchange.Imap4.Imap4Server\")",
            "ID OK ID completed", "* NAMESPACE ((\"\" \"/\")) NIL NIL",
            "T OK NAMESPACE completed.", "* LIST (\\Noselect) \"/\" \"\"", "T OK LIST completed.",
        ]
        let (sent, last) = self.run(.established, token: true, Self.exchange + rest)
        #expect(
            sent == [
                "T CAPABILITY", "T AUTHENTICATE XOAUTH2 dXNlcj1ib2IBYXV0aD1CZWFyZXIgdDBrAQE=",
                "T CAPABILITY", Self.identification, "T NAMESPACE", "T LIST \"\" \"\"",
            ]
        )
        guard case .ready(let profile) = last else {
            Issue.record("\(String(describing: last))")
            return
        }
        #expect(profile.capabilities.contains("MOVE"))
        // A known profile saves no command: the token may give no access to this mailbox.
        let (again, _) = self.run(.established, known: profile, token: true, Self.exchange + rest)
        #expect(again == sent)
    }

    @Test(arguments: [
        (["T NO AUTHENTICATE failed."], UpstreamLogin.Failure.credentialRefused),
        (["+ eyJzdGF0dXMiOiI0MDAifQ==", "T NO failed"], .credentialRefused),
        (["T NO [AUTHENTICATIONFAILED] wrong"], .credentialRefused),
        (["T NO [UNAVAILABLE] Temporary authentication failure."], .temporarilyRefused),
        (["T NO [INUSE] Too many connections"], .temporarilyRefused),
        (["T NO [LIMIT] Slow down"], .temporarilyRefused),
        (["T NO [SERVERBUG] Internal error"], .temporarilyRefused),
        (
            ["T OK AUTHENTICATE completed.", "T BAD User is authenticated but not connected."],
            .noMailbox
        ),
        (
            [
                "T OK AUTHENTICATE completed.", "* CAPABILITY IMAP4rev1 NAMESPACE", "T OK done",
                "T BAD User is authenticated but not connected.",
            ],
            .noMailbox
        ),
        (
            ["T NO Request is throttled. Suggested Backoff Time: 92415 milliseconds"],
            .throttled(milliseconds: 92_415)
        ),
        (
            [
                "T OK AUTHENTICATE completed.",
                "T BAD Request is throttled. Suggested Backoff Time: 99999999 milliseconds",
            ],
            .throttled(milliseconds: 300_000)
        ),
        (["* BYE Connection closed. 14"], .refusedGreeting),
    ])
    func `refusals of Exchange have distinct failures`(
        _ responses: [String],
        _ failure: UpstreamLogin.Failure
    ) {
        let (_, last) = self.run(.established, token: true, Self.exchange + responses)
        #expect(last == .fail(failure))
    }

    /// Without NAMESPACE, mailboxes that the server shares would count as the account's own.
    @Test(arguments: [
        ["T NO [UNAVAILABLE] later"], ["T BAD what"], ["T OK done"],
        ["* NAMESPACE ((\"\" \".\")) NIL NIL", "T NO never mind"],
        ["* NAMESPACE ((\"\" \".\")) NIL NIL", "T OK done", "T NO [UNAVAILABLE] later"],
    ])
    func `a server that does not answer NAMESPACE is not used`(_ responses: [String]) {
        let begun = [
            "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi",
            "T OK [CAPABILITY IMAP4rev1 NAMESPACE] in",
        ]
        #expect(self.run(.established, begun + responses).last == .fail(.unexpectedResponse))
    }

    @Test func `octets after the answer to STARTTLS end the login`() {
        let begun = [
            "* OK hi", "* CAPABILITY IMAP4rev1 STARTTLS", "T OK done",
        ]
        #expect(self.run(.startTLS, begun + ["T OK go"]).last == .startTLS)
        #expect(
            self.run(.startTLS, isLast: false, begun + ["T OK go"]).last
                == .fail(.octetsBehindStartTLS)
        )
    }

    @Test func `a token is never sent to a server that takes only passwords`() {
        let (sent, last) = self.run(
            .established,
            token: true,
            ["* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi"]
        )
        #expect(sent.isEmpty)
        #expect(last == .fail(.noMechanism))
    }

    @Test func `a server may send a bounded number of unsolicited responses`() {
        let news = Array(repeating: "* OK hello", count: 150)
        let offer = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi"
        let (_, last) = self.run(.established, [offer] + news + ["T NO [AUTHENTICATIONFAILED] no"])
        #expect(last == .fail(.credentialRefused))
    }

    @Test(arguments: ["* OK hello", "* CAPABILITY IMAP4rev1"])
    func `too many responses without an answer end the login`(response: String) {
        let offer = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi"
        let responses = [offer] + Array(repeating: response, count: UpstreamLogin.maximumResponses)
        let (sent, last) = self.run(.established, responses)
        #expect(sent.count == 1)
        #expect(last == .fail(.tooManyResponses))
    }

    @Test func `the octets of a login are limited`() {
        var login = UpstreamLogin(
            security: .established,
            credential: UpstreamCredential(
                username: Array("bob".utf8),
                proof: .password(Secret(Array("s3cret".utf8)))
            ),
            known: nil,
            tags: UpstreamTags(random: 7)
        )
        let first = login.takesOctets(ResponseCollector.maximumOctets)
        #expect(first)
        let second = login.takesOctets(ResponseCollector.maximumOctets)
        #expect(second)
        let third = login.takesOctets(1)
        #expect(!third)
        #expect(!login.awaitsVerdict)
    }
}
