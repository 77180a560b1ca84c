import Access
import IMAP
import SASL
import Testing

import struct NIOCore.ByteBuffer

@testable import Session

/// Logins with access tokens, for IMAP and for submission.
@Suite struct TokenLoginTests {
    private static let tokens = TokenRequirements(scope: "imap", configuration: "https://x.test/c")
    private static let methods = LoginMethods(takesPasswords: false, tokens: Self.tokens)
    private static let message = String(
        decoding: Base64.encode(Array("n,a=anna@x.test,\u{1}auth=Bearer t\u{1}\u{1}".utf8)),
        as: UTF8.self
    )

    private static func session(_ methods: LoginMethods) -> ClientSession {
        var session = ClientSession(
            snapshot: Fixture().snapshot,
            hasTLS: true,
            methods: methods,
            at: Fixture.now
        )
        session.opened()
        _ = Self.taken(&session)
        return session
    }

    /// What the session sends and asks for.
    private static func taken(_ session: inout ClientSession) -> (String, [Credentials]) {
        var actions: [Action] = []
        session.takeActions(into: &actions)
        var (text, credentials) = ("", [Credentials]())
        for action in actions {
            switch action {
            case .toClient(let octets): text += String(buffer: octets)
            case .authenticate(let sent): credentials.append(sent)
            default: break
            }
        }
        return (text, credentials)
    }

    private static func send(
        _ text: String,
        to session: inout ClientSession
    ) -> (String, [Credentials]) {
        session.clientOctetsReceived(ByteBuffer(string: text), at: Fixture.now)
        return Self.taken(&session)
    }

    @Test(arguments: [(true, false), (true, true), (false, true)])
    func `exactly the mechanisms of the sources are announced and served`(
        passwords: Bool,
        tokens: Bool
    ) {
        let methods = LoginMethods(takesPasswords: passwords, tokens: tokens ? Self.tokens : nil)
        var session = Self.session(methods)
        let (capabilities, _) = Self.send("a CAPABILITY\r\n", to: &session)
        #expect(capabilities.contains("AUTH=PLAIN") == passwords)
        #expect(capabilities.contains("LOGINDISABLED") == !passwords)
        #expect(capabilities.contains("AUTH=OAUTHBEARER AUTH=XOAUTH2") == tokens)
        let (refused, asked) = Self.send(
            "b AUTHENTICATE OAUTHBEARER \(Self.message)\r\n",
            to: &session
        )
        #expect(asked.isEmpty != tokens && refused.hasPrefix("b NO") != tokens)
        var other = Self.session(methods)
        let (answer, password) = Self.send("c LOGIN anna@x.test pw\r\n", to: &other)
        #expect(password.isEmpty != passwords && answer.hasPrefix("c NO") != passwords)
        #expect(methods.submissionMechanisms.contains(.login) == passwords)
    }

    @Test func `a refused token is explained before it is answered, and what follows waits`() {
        var session = Self.session(Self.methods)
        let (none, asked) = Self.send(
            "a AUTHENTICATE OAUTHBEARER \(Self.message)\r\nAQ==\r\nb NOOP\r\n",
            to: &session
        )
        #expect(none.isEmpty && asked.map(\.login) == [Array("anna@x.test".utf8)])
        #expect(asked.first?.proof == .token(Secret(Array("t".utf8))))
        session.authenticationFinished(.refused)
        let lines = Self.taken(&session).0.split(separator: "\r\n")
        let challenge = Base64.decode(Array((lines.first ?? "").dropFirst(2).utf8)) ?? []
        #expect(
            String(decoding: challenge, as: UTF8.self)
                == #"{"status":"invalid_token","scope":"imap","openid-configuration":"https://x.test/c"}"#
        )
        #expect(lines.dropFirst().first == "a NO [AUTHENTICATIONFAILED] Login failed")
        #expect(lines.last?.hasPrefix("b OK") == true)
    }

    @Test(arguments: ["", "*", "AQ==", "no base64"])
    func `whatever the client answers to the explanation, the login has failed`(line: String) {
        var session = Self.session(Self.methods)
        for count in 1...ClientLogin.maximumFailures {
            _ = Self.send("a AUTHENTICATE XOAUTH2\r\n", to: &session)
            let message = Base64.encode(Array("user=anna@x.test\u{1}auth=Bearer t\u{1}\u{1}".utf8))
            let (_, asked) = Self.send(
                String(decoding: message, as: UTF8.self) + "\r\n",
                to: &session
            )
            #expect(asked.count == 1)
            session.authenticationFinished(.refused)
            #expect(Self.taken(&session).0.hasPrefix("+ "))
            let (answer, _) = Self.send(line + "\r\n", to: &session)
            #expect(answer.hasPrefix("a NO [AUTHENTICATIONFAILED]"))
            #expect(answer.contains("BYE") == (count == ClientLogin.maximumFailures))
        }
        #expect(session.authenticatedUser == nil)
    }

    @Test func `a source that cannot answer is no refused token`() {
        var session = Self.session(Self.methods)
        _ = Self.send("a AUTHENTICATE OAUTHBEARER \(Self.message)\r\n", to: &session)
        session.authenticationFinished(.unavailable)
        #expect(Self.taken(&session).0.hasPrefix("a NO [UNAVAILABLE]"))
    }
}
