import Foundation

/// HTTPS requests to Exchange Online's administration interfaces, with the application's token.
///
/// It waits ``pause`` before each request, and repeats a request if the server is busy or the token
/// has expired.
struct AdminTransport: Sendable {
    private struct Body: Encodable {
        struct Input: Encodable {
            var name: String
            var parameters: [String: String]

            enum CodingKeys: String, CodingKey {
                case name = "CmdletName"
                case parameters = "Parameters"
            }
        }

        var input: Input

        enum CodingKeys: String, CodingKey {
            case input = "CmdletInput"
        }
    }

    /// The pause before each request. Microsoft publishes no limit; three requests a second were
    /// never refused.
    private static let pause = Duration.milliseconds(300)
    /// The most attempts of a request.
    private static let maximumTries = 6
    /// The longest wait before another attempt; a longer one is left to the administrator.
    private static let maximumWait = Duration.seconds(120)

    let application: EntraApplication
    let tokens: TokenSource
    let http: MicrosoftHTTPClient
    let now: @Sendable () -> Date

    /// Runs a cmdlet at an interface.
    /// - Returns: the last response, whatever its status is.
    func post(
        _ url: String,
        cmdlet: Cmdlet,
        parameters: [String: String]
    ) async throws -> MicrosoftHTTPClient.Answer {
        let input = Body.Input(name: cmdlet.rawValue, parameters: parameters)
        let body = String(decoding: try JSONEncoder().encode(Body(input: input)), as: UTF8.self)
        var tries = 0
        var hasRenewed = false
        while true {
            tries += 1
            try await Task.sleep(for: Self.pause)
            let token = try await self.tokens.token()
            let answer = try await self.http.post(url, headers: self.headers(token), body: body)
            if answer.status == 401, !hasRenewed, try await self.renews(token) {
                hasRenewed = true
                continue
            }
            let wait = Self.wait(answer.retryAfter, tries: tries)
            guard Self.isTransient(answer), tries < Self.maximumTries, wait <= Self.maximumWait
            else { return answer }
            try await Task.sleep(for: wait)
        }
    }

    /// Whether another token is available than the refused one, which expired or was revoked.
    private func renews(_ token: AccessToken) async throws -> Bool {
        self.tokens.forget(token.value, at: self.now())
        return try await self.tokens.token().value != token.value
    }

    private func headers(_ token: AccessToken) -> [(String, String)] {
        [
            ("Authorization", "Bearer \(token.value)"), ("Content-Type", "application/json"),
            (
                "X-AnchorMailbox",
                "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@"
                    + self.application.tenant
            ),
        ]
    }

    /// The time that the server asks for, or twice the previous one. A random part prevents that
    /// many clients return at the same time.
    static func wait(_ retryAfter: Int?, tries: Int) -> Duration {
        let asked = min(max(retryAfter ?? 1 << min(tries, 6), 0), 86_400)
        return .seconds(asked) * Double.random(in: 1...1.25)
    }

    /// Exceptions in a 400 response that mean a busy server.
    private static let transientCodes = [
        "CmdletProxyNotAvailableFailure", "ServerBusyException", "TransientException",
        "BackendCommunicationException",
    ]

    /// Whether the server is busy: the same request may succeed later.
    static func isTransient(_ answer: MicrosoftHTTPClient.Answer) -> Bool {
        if [429, 502, 503, 504].contains(answer.status) { return true }
        let text = String(decoding: answer.body, as: UTF8.self)
        return answer.status == 400 && self.transientCodes.contains(where: text.contains)
    }
}
