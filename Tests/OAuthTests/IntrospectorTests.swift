import Synchronization
import Testing

@testable import HTTPS
@testable import OAuth

struct IntrospectorTests {
    private let issuers = TestIssuers()
    private let verifier: TokenVerifier

    init() throws {
        self.verifier = try self.issuers.verifier(.introspecting)
        self.respond()
    }

    private var requests: Int { self.issuers.count(TestIssuers.introspectionURL) }

    /// Sets the response: the claims of a valid token with changes.
    private func respond(active: String = "true", _ changes: [String: String] = [:]) {
        self.issuers.set(
            TestIssuers.introspectionURL,
            TestToken.claims(changes.merging(["active": active]) { $1 })
        )
    }

    private func verdict(_ token: String = "opaque") async -> TokenVerdict {
        await self.verifier.verify(Array(token.utf8))
    }

    @Test func `the request is a form with the gateway's credentials`() async throws {
        #expect(await self.verdict("a+/=~ü&x=1") == .refused(.malformed))
        #expect(self.issuers.count() == 0, "no bearer token has such octets")
        #expect(await self.verdict("a+/=~&x=1%") == anna)
        let request = try #require(self.issuers.last)
        #expect(request.url == TestIssuers.introspectionURL)
        #expect(
            String(decoding: request.body ?? [], as: UTF8.self)
                == "token=a%2B%2F%3D~%26x%3D1%25&token_type_hint=access_token"
        )
        let fields = Dictionary(request.headers.map { ($0.name, $0.value) }) { $1 }
        #expect(fields["Content-Type"] == "application/x-www-form-urlencoded")
        // gate%20post:s%3Acret%25
        #expect(fields["Authorization"] == "Basic Z2F0ZSUyMHBvc3Q6cyUzQWNyZXQlMjU=")
    }

    @Test(
        arguments: [
            (["active": "false"], .inactive), (["iss": #""https://evil.example""#], .issuer),
            (["iss": "null"], .issuer), (["aud": ""], .audience), (["aud": #""other""#], .audience),
            (["exp": ""], .time), (["exp": "1"], .expired), (["nbf": "1900000000"], .notYetValid),
            (["preferred_username": ""], .login), (["cnf": "{}"], .boundToKey),
            (["iss": ""], nil), (["scope": #""imap""#, "token_type": #""Bearer""#], nil),
        ] as [([String: String], TokenRefusal?)]
    )
    func `the response is judged like a token`(
        changes: [String: String],
        refusal: TokenRefusal?
    ) async {
        self.respond(active: changes["active"] ?? "true", changes.filter { $0.key != "active" })
        let expected = refusal.map { TokenVerdict.refused($0) } ?? anna
        #expect(await self.verdict() == expected)
        #expect(await self.verdict() == expected)
        #expect(self.requests == 1, "a refusal is kept too")
    }

    @Test(arguments: [
        (200, "{}"), (200, #"{"active":"true"}"#), (200, #"{"active":1}"#), (200, "true"),
        (200, ""),
        (200, #"{"active":false,"active":true}"#), (302, #"{"active":true}"#), (401, "{}"),
        (500, #"{"active":true}"#),
    ])
    func `a server that does not say whether the token is active makes it unavailable`(
        status: Int,
        text: String
    ) async {
        self.issuers.set(TestIssuers.introspectionURL, text, status: status)
        #expect(await self.verdict().isUnavailable)
        self.respond()
        #expect(await self.verdict() == anna, "one odd answer stops nothing")
    }

    @Test func `an answer is kept for a minute, and not beyond the expiry`() async {
        #expect(await self.verdict() == anna)
        self.respond(active: "false")
        self.issuers.pass(seconds: 59)
        #expect(await self.verdict() == anna)
        self.issuers.pass(seconds: 1)
        #expect(await self.verdict() == .refused(.inactive))
        #expect(self.requests == 2)
        self.respond(["exp": "\(self.issuers.now + 20)"])
        self.issuers.pass(seconds: 60)
        self.respond(["exp": "\(self.issuers.now + 20)"])
        #expect(await self.verdict().isVerified)
        self.respond(active: "false")
        self.issuers.pass(seconds: 19)
        #expect(await self.verdict().isVerified)
        self.issuers.pass(seconds: 1)
        #expect(await self.verdict() == .refused(.inactive))
    }

    @Test func `answers are kept by token`() async {
        #expect(await self.verdict("one") == anna)
        self.respond(active: "false")
        #expect(await self.verdict("two") == .refused(.inactive))
        #expect(await self.verdict("one") == anna)
        #expect(await self.verdict("One") == .refused(.inactive))
    }

    @Test func `a silent server is not asked for 10 seconds`() async {
        #expect(await self.verdict("kept") == anna)
        self.issuers.fail(TestIssuers.introspectionURL)
        for index in 0..<5 { #expect(await self.verdict("\(index)").isUnavailable) }
        #expect(self.requests == 2)
        #expect(await self.verdict("kept") == anna)
        self.issuers.pass(seconds: 10)
        self.respond()
        #expect(await self.verdict("1") == anna)
    }

    @Test func `concurrent callers with one token share a request, and 16 tokens wait`()
        async throws
    {
        let gate = Gate()
        let response = HTTPSResponse(
            status: 200,
            headers: [],
            body: Array(TestToken.claims(["active": "true"]).utf8)
        )
        self.issuers.set(TestIssuers.introspectionURL) { _ throws(HTTPSError) in
            await gate.opened()
            return response
        }
        let verifier = self.verifier
        await withTaskGroup(of: TokenVerdict.self) { group in
            for index in 0..<48 {
                group.addTask { await verifier.verify(Array("token\(index % 16)".utf8)) }
            }
            while self.requests < 16 { await Task.yield() }
            #expect(await self.verdict("another").isUnavailable)
            gate.open()
            for await verdict in group { #expect(verdict == anna) }
        }
        #expect(self.requests == 16)
        #expect(await self.verdict("another") == anna)
    }

    @Test func `after silence one caller tries again, and the others do not wait`() async throws {
        self.issuers.fail(TestIssuers.introspectionURL)
        #expect(await self.verdict("first").isUnavailable)
        self.issuers.pass(seconds: 10)
        let gate = Gate()
        self.issuers.set(TestIssuers.introspectionURL) { _ throws(HTTPSError) in
            await gate.opened()
            throw HTTPSError("Timeout was reached")
        }
        let verifier = self.verifier
        let attempt = Task { await verifier.verify(Array("second".utf8)) }
        while self.requests < 2 { await Task.yield() }
        for index in 0..<5 { #expect(await self.verdict("\(index)").isUnavailable) }
        #expect(self.requests == 2)
        gate.open()
        #expect(await attempt.value.isUnavailable)
    }

    @Test func `the discovery document is fetched once`() async {
        for index in 0..<10 { #expect(await self.verdict("\(index)") == anna) }
        #expect(self.issuers.count(TestIssuers.discoveryURL) == 1)
        self.issuers.set(TestIssuers.discoveryURL, #"{"issuer":"https://evil.example"}"#)
        self.issuers.pass(seconds: 3_600)
        self.respond(["exp": "1900000000"])
        #expect(await self.verdict("new").isVerified, "the old endpoint is used for a day")
    }

    @Test func `a token that names another issuer is not shown to this one`() async throws {
        let key = try SigningKey.p256.get()
        let claims = TestToken.claims(["iss": #""https://sso.andere.example""#])
        let token = try TestToken.sign(key, claims: claims)
        #expect(await self.verifier.verify(token) == .refused(.unknownIssuer))
        var other = TokenIssuer.test
        other.issuer = "https://sso.andere.example"
        other.verification = .signature(.jwks(url: "https://sso.andere.example/keys"))
        let both = try self.issuers.verifier(.introspecting, other)
        #expect(await both.verify(token).isUnavailable)
        #expect(self.requests == 0)
    }

    @Test func `a token of this issuer is introspected, whatever its header is`() async throws {
        for header in [#"{"alg":"HS256"}"#, #"{"alg":"none"}"#, "{}"] {
            let token = TestToken.signedText(header: header) + ".AAAA"
            #expect(await self.verdict(token) == anna)
        }
        #expect(await self.verdict("a.b.c.d.e") == anna)
    }
}
