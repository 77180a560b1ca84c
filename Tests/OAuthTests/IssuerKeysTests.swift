import Synchronization
import Testing

@testable import HTTPS
@testable import OAuth

/// When the keys of an issuer are fetched, kept and dropped.
struct IssuerKeysTests {
    private let issuers = TestIssuers()
    private let verifier: TokenVerifier
    private let one: SigningKey
    private let two: SigningKey

    init() throws {
        self.one = try SigningKey.p256.get()
        self.two = try SigningKey.otherP256.get()
        self.issuers.setKeys([try self.one.jwk(["kid": "one"])])
        self.verifier = try self.issuers.verifier(.test)
    }

    private var fetches: Int { self.issuers.count(TestIssuers.keysURL) }

    /// The verdict on a token that does not expire during the test.
    private func verdict(_ key: SigningKey, keyID: String? = "one") async throws -> TokenVerdict {
        let kid = keyID.map { #","kid":"\#($0)""# } ?? ""
        return await self.verifier.verify(
            try TestToken.sign(
                key,
                header: #"{"alg":"ES256"\#(kid)}"#,
                claims: TestToken.claims(["exp": "2000000000"])
            )
        )
    }

    @Test(
        arguments: [
            (nil, 3_600), ("max-age=0", 300), ("max-age=10", 300), ("max-age=301", 301),
            ("public, Max-Age=\"7200\"", 7_200), ("max-age=99999999", 86_400), ("no-store", 300),
            ("max-age=900, no-cache", 300), ("max-age=-5", 300), ("max-age=x", 3_600),
            ("max-age=99999999999999999999", 3_600), ("s-maxage=600", 3_600),
        ] as [(String?, Int64)]
    )
    func `keys are kept as long as the server says, within limits`(
        cacheControl: String?,
        seconds: Int64
    ) async throws {
        self.issuers.setKeys([try self.one.jwk(["kid": "one"])], maxAge: cacheControl)
        #expect(try await self.verdict(self.one).isVerified)
        self.issuers.pass(seconds: seconds - 1)
        #expect(try await self.verdict(self.one).isVerified)
        #expect(self.fetches == 1)
        self.issuers.pass(seconds: 1)
        #expect(try await self.verdict(self.one).isVerified)
        #expect(self.fetches == 2)
    }

    @Test func `a new key is fetched at once, and random names at most once a minute`() async throws
    {
        #expect(try await self.verdict(self.one).isVerified)
        self.issuers.pass(seconds: 10)
        self.issuers.setKeys([try self.one.jwk(["kid": "one"]), try self.two.jwk(["kid": "two"])])
        #expect(try await self.verdict(self.two, keyID: "two").isVerified)
        #expect(self.fetches == 2)
        for index in 0..<100 {
            self.issuers.pass(seconds: index.isMultiple(of: 2) ? 0 : 1)
            #expect(try await self.verdict(self.two, keyID: "\(index)") == .refused(.unknownKey))
        }
        #expect(self.fetches == 2)
        self.issuers.pass(seconds: 10)
        #expect(try await self.verdict(self.two, keyID: "x") == .refused(.unknownKey))
        #expect(self.fetches == 3)
        #expect(try await self.verdict(self.one).isVerified)
    }

    @Test func `a removed key is refused after the next fetch`() async throws {
        #expect(try await self.verdict(self.one).isVerified)
        for keys in [[try self.two.jwk(["kid": "two"])], []] {
            self.issuers.setKeys(keys)
            self.issuers.pass(seconds: 3_600)
            #expect(try await self.verdict(self.one) == .refused(.unknownKey))
        }
    }

    @Test func `a token without kid finds a new key`() async throws {
        #expect(try await self.verdict(self.one, keyID: nil).isVerified)
        self.issuers.setKeys([try self.two.jwk()])
        self.issuers.pass(seconds: 11)
        #expect(try await self.verdict(self.two, keyID: nil).isVerified)
        #expect(try await self.verdict(self.one, keyID: nil) == .refused(.signature))
        #expect(self.fetches == 2)
    }

    @Test func `a wrong signature of a known key causes no fetch`() async throws {
        #expect(try await self.verdict(self.one).isVerified)
        self.issuers.pass(seconds: 100)
        #expect(try await self.verdict(self.two) == .refused(.signature))
        #expect(self.fetches == 1)
    }

    @Test func `old keys work for a day while the issuer fails, and each failure for 10 seconds`()
        async throws
    {
        #expect(try await self.verdict(self.one).isVerified)
        self.issuers.fail(TestIssuers.discoveryURL)
        self.issuers.pass(seconds: 3_600)
        for _ in 0..<5 { #expect(try await self.verdict(self.one).isVerified) }
        #expect(self.issuers.count(TestIssuers.discoveryURL) == 2)
        #expect(try await self.verdict(self.two, keyID: "two").isUnavailable)
        #expect(self.issuers.count(TestIssuers.discoveryURL) == 2)
        self.issuers.pass(seconds: 10)
        #expect(try await self.verdict(self.one).isVerified)
        #expect(self.issuers.count(TestIssuers.discoveryURL) == 3)
        self.issuers.pass(seconds: 86_400 - 3_610)
        for _ in 0..<5 { #expect(try await self.verdict(self.one).isUnavailable) }
        #expect(self.issuers.count(TestIssuers.discoveryURL) == 4)
        self.issuers.setKeys([try self.one.jwk(["kid": "one"])])
        self.issuers.set(TestIssuers.discoveryURL, Self.discovery())
        self.issuers.pass(seconds: 10)
        #expect(try await self.verdict(self.one).isVerified)
    }

    @Test func `a clock that is set back makes no keys last longer`() async throws {
        self.issuers.pass(seconds: 1_000)
        #expect(try await self.verdict(self.one).isVerified)
        self.issuers.pass(seconds: -900)
        self.issuers.setKeys([try self.two.jwk(["kid": "one"])])
        #expect(try await self.verdict(self.two).isVerified)
    }

    @Test func `concurrent callers share one fetch`() async throws {
        let response = HTTPSResponse(
            status: 200,
            headers: [],
            body: Array(#"{"keys":[\#(try self.one.jwk(["kid": "one"]))]}"#.utf8)
        )
        let gate = Gate()
        self.issuers.set(TestIssuers.keysURL) { _ throws(HTTPSError) in
            await gate.opened()
            return response
        }
        let token = try TestToken.sign(self.one)
        let verifier = self.verifier
        await withTaskGroup(of: TokenVerdict.self) { group in
            for _ in 0..<50 { group.addTask { await verifier.verify(token) } }
            while self.fetches == 0 { await Task.yield() }
            gate.open()
            for await verdict in group { #expect(verdict == anna) }
        }
        #expect(self.fetches == 1)
    }

    @Test func `after a failure one caller tries again, and the others do not wait`() async throws {
        self.issuers.fail(TestIssuers.keysURL)
        #expect(try await self.verdict(self.one).isUnavailable)
        self.issuers.pass(seconds: 10)
        let gate = Gate()
        self.issuers.set(TestIssuers.keysURL) { _ throws(HTTPSError) in
            await gate.opened()
            throw HTTPSError("Timeout was reached")
        }
        let token = try TestToken.sign(self.one)
        let verifier = self.verifier
        let attempt = Task { await verifier.verify(token) }
        while self.fetches < 2 { await Task.yield() }
        for _ in 0..<5 { #expect(try await self.verdict(self.one).isUnavailable) }
        #expect(self.fetches == 2)
        gate.open()
        #expect(await attempt.value.isUnavailable)
    }

    @Test func `a caller that is cancelled does not end the fetch`() async throws {
        let token = try TestToken.sign(self.one)
        let verifier = self.verifier
        let task = Task { await verifier.verify(token) }
        task.cancel()
        #expect(await task.value == anna)
    }

    // MARK: - Documents

    private static func discovery(
        issuer: String = TestIssuers.issuer,
        keys: String = #""\#(TestIssuers.keysURL)""#
    ) -> String {
        #"{"issuer":"\#(issuer)","jwks_uri":\#(keys)}"#
    }

    @Test(arguments: [
        IssuerKeysTests.discovery(issuer: "https://evil.example"),
        IssuerKeysTests.discovery(issuer: TestIssuers.issuer + "/"),
        IssuerKeysTests.discovery(issuer: "HTTPS://login.kanzlei.example"),
        IssuerKeysTests.discovery(keys: #""http://login.kanzlei.example/keys""#),
        IssuerKeysTests.discovery(keys: #""file:///etc/passwd""#),
        IssuerKeysTests.discovery(keys: #""https://a@login.kanzlei.example/keys""#),
        IssuerKeysTests.discovery(keys: #""https://login.kanzlei.example/keys#x""#),
        IssuerKeysTests.discovery(keys: #""https:///keys""#),
        IssuerKeysTests.discovery(keys: "null"),
        IssuerKeysTests.discovery(keys: #""https://x.example/\r\nHost: y""#),
        #"{"issuer":"https://login.kanzlei.example"}"#, #"{"jwks_uri":"https://a.example/"}"#, "",
        "[]",
        "<html>", #"{"issuer":"https://login.kanzlei.example","issuer":"https://x.example"}"#,
    ])
    func `a discovery document that is not the issuer's is unusable`(text: String) async throws {
        self.issuers.set(TestIssuers.discoveryURL, text)
        #expect(try await self.verdict(self.one).isUnavailable)
        #expect(self.issuers.count() == 1)
    }

    @Test(arguments: [
        (301, "{\"keys\":[]}"), (204, ""), (401, ""), (404, "x"), (500, "{\"keys\":[]}"), (200, ""),
        (200, "{}"), (200, "{\"keys\":[]"), (200, "[]"),
        (200, "{\"keys\":[],\"x\":\"" + String(repeating: "x", count: 262_144) + "\"}"),
    ])
    func `an unusable key set makes tokens unavailable`(status: Int, text: String) async throws {
        self.issuers.set(TestIssuers.keysURL, text, status: status)
        guard case .unavailable(let reason) = try await self.verdict(self.one) else {
            Issue.record("the token has a verdict")
            return
        }
        #expect(reason.utf8.count < 250)
        #expect(reason.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    }

    @Test func `a name that a server sends is printable and short in a reason`() async throws {
        let name = "\\u001b[2J\\n" + String(repeating: "x", count: 10_000)
        self.issuers.set(TestIssuers.discoveryURL, Self.discovery(issuer: name))
        guard case .unavailable(let reason) = try await self.verdict(self.one) else {
            Issue.record("the token has a verdict")
            return
        }
        #expect(reason.contains("?[2J?xxx"))
        #expect(reason.utf8.count < 300)
        #expect(reason.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    }
}

/// Lets callers wait until the test opens it.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func opened() async {
        await withCheckedContinuation { continuation in
            let isOpen = self.state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiters = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
