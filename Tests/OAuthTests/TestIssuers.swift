import COpenSSL
import Cryptography
import Foundation
import Synchronization

@testable import HTTPS
@testable import OAuth

/// Issuers without a network: documents by URL, a clock, and counts of the requests.
final class TestIssuers: Sendable {
    static let issuer = "https://login.kanzlei.example"
    static let discoveryURL = issuer + "/.well-known/openid-configuration"
    static let keysURL = issuer + "/keys"
    static let introspectionURL = issuer + "/introspect"
    static let start: Int64 = 1_800_000_000

    /// The answer to a request.
    typealias Answer = @Sendable (HTTPSRequest) async throws(HTTPSError) -> HTTPSResponse

    private let answers = Mutex<[String: Answer]>([:])
    private let requested = Mutex<[HTTPSRequest]>([])
    private let time = Mutex(TestIssuers.start)

    init() {
        let (keys, introspection) = (Self.keysURL, Self.introspectionURL)
        self.set(
            Self.discoveryURL,
            #"{"issuer":"\#(Self.issuer)","jwks_uri":"\#(keys)","#
                + #""introspection_endpoint":"\#(introspection)"}"#
        )
    }

    /// Issuers that publish these keys.
    convenience init(keys: String...) {
        self.init()
        self.setKeys(keys)
    }

    /// Sets the published keys.
    func setKeys(_ keys: [String], maxAge: String? = nil) {
        self.set(Self.keysURL, #"{"keys":[\#(keys.joined(separator: ","))]}"#, cacheControl: maxAge)
    }

    /// Sets a document.
    func set(_ url: String, _ text: String, status: Int = 200, cacheControl: String? = nil) {
        let headers = cacheControl.map { [HTTPSHeader(name: "Cache-Control", value: $0)] } ?? []
        let response = HTTPSResponse(status: status, headers: headers, body: Array(text.utf8))
        self.set(url) { _ throws(HTTPSError) in response }
    }

    /// Sets the answer to the requests for a URL.
    func set(_ url: String, answer: @escaping Answer) {
        self.answers.withLock { $0[url] = answer }
    }

    /// The server of a URL does not answer any more.
    func fail(_ url: String) {
        self.set(url) { _ throws(HTTPSError) in throw HTTPSError("Timeout was reached") }
    }

    /// The number of requests for a URL, or for all.
    func count(_ url: String? = nil) -> Int {
        self.requested.withLock { list in list.count { url == nil || $0.url == url } }
    }

    /// The last request.
    var last: HTTPSRequest? { self.requested.withLock(\.last) }

    var now: Int64 { self.time.withLock(\.self) }

    /// Lets time pass.
    func pass(seconds: Int64) {
        self.time.withLock { $0 += seconds }
    }

    func verifier(_ issuers: TokenIssuer...) throws(TokenIssuerError) -> TokenVerifier {
        let transport: TokenTransport = { request, _ throws(HTTPSError) in
            self.requested.withLock { $0.append(request) }
            guard let answer = self.answers.withLock({ $0[request.url] }) else {
                throw HTTPSError("Could not resolve hostname")
            }
            return try await answer(request)
        }
        return try TokenVerifier(issuers: issuers, now: { self.now }, transport: transport)
    }
}

extension TokenIssuer {
    /// An issuer that is verified by its signature and accepts every algorithm.
    static var test: TokenIssuer {
        var issuer = TokenIssuer(
            issuer: TestIssuers.issuer,
            audiences: ["mail"],
            loginClaim: "preferred_username"
        )
        issuer.algorithms = Set(SignatureAlgorithm.allCases)
        return issuer
    }

    /// An issuer with introspection.
    static var introspecting: TokenIssuer {
        var issuer = TokenIssuer.test
        issuer.verification = .introspection(
            Introspection(url: nil, clientID: "gate post", clientSecret: ClientSecret("s:cret%"))
        )
        return issuer
    }
}

/// Tokens of tests.
enum TestToken {
    static let header = #"{"alg":"ES256","kid":"one"}"#

    /// The claims of a valid token, in the order of their names.
    /// - Parameter changes: JSON texts in place of the claims' values; an empty text removes one.
    static func claims(_ changes: [String: String] = [:]) -> String {
        let start = TestIssuers.start
        let claims = [
            "iss": #""\#(TestIssuers.issuer)""#, "aud": #""mail""#, "sub": #""42""#,
            "exp": "\(start + 300)", "iat": "\(start)",
            "preferred_username": #""anna@kanzlei.example""#,
        ].merging(changes) { $1 }.filter { !$0.value.isEmpty }
        return "{" + claims.map { #""\#($0)":\#($1)"# }.sorted().joined(separator: ",") + "}"
    }

    /// Signs a token.
    static func sign(
        _ key: SigningKey,
        header: String = header,
        claims: String = claims(),
        algorithm: SignatureAlgorithm = .es256
    ) throws -> [UInt8] {
        let signed = self.signedText(header: header, claims: claims)
        let signature = try key.signature(of: Array(signed.utf8), algorithm: algorithm)
        return Array((signed + "." + signature.base64URL).utf8)
    }

    /// The part of a token that is signed.
    static func signedText(header: String, claims: String = claims()) -> String {
        Array(header.utf8).base64URL + "." + Array(claims.utf8).base64URL
    }

    /// A token with an HMAC in place of the signature.
    static func authenticate(
        with key: [UInt8],
        digest: String = "SHA256",
        header: String
    ) -> [UInt8] {
        let signed = Array(self.signedText(header: header).utf8)
        var code = [UInt8](repeating: 0, count: 64)
        var count: CUnsignedInt = 0
        HMAC(
            EVP_get_digestbyname(digest),
            key,
            CInt(key.count),
            signed,
            signed.count,
            &code,
            &count
        )
        return signed + [0x2E] + Array(Array(code.prefix(Int(count))).base64URL.utf8)
    }
}

/// The verdict on ``TestToken/claims(_:)``.
let anna = TokenVerdict.verified(
    VerifiedToken(
        login: "anna@kanzlei.example",
        issuer: TestIssuers.issuer,
        expires: TestIssuers.start + 300,
        subject: TestIssuers.issuer + " 42"
    )
)

extension TokenVerdict {
    var isVerified: Bool {
        if case .verified = self { true } else { false }
    }

    var isUnavailable: Bool {
        if case .unavailable = self { true } else { false }
    }
}
