package import Foundation
import Synchronization

/// An access token with its validity (RFC 6749 §1.4).
package struct AccessToken: Sendable {
    /// The token itself.
    package var value: String
    /// When it was requested.
    package var fetched: Date
    /// When it expires.
    package var ends: Date
}

/// Access tokens of one application (OAuth 2.0 client credentials grant, RFC 6749 §4.4).
///
/// A token is requested when it is needed and kept until shortly before it expires. There is one
/// request at a time.
package final class TokenSource: Sendable {
    /// The current token, request and refusal.
    private struct State {
        var token: AccessToken?
        var fetch: Task<AccessToken, any Error>?
        /// The last refusal, repeated for some seconds: many sessions ask at the same time.
        var refusal: (error: OnlineError, until: Date)?
        /// The number of permanent refusals since the last token.
        var refusals = 0
    }

    /// The time before its expiry at which a token is renewed, in seconds; at most a tenth of its
    /// lifetime.
    private static let margin: TimeInterval = 300
    /// How long a refusal is repeated without a new request, in seconds.
    private static let refusalLifetime: TimeInterval = 10
    /// The longest time that a permanent refusal is repeated, in seconds; each one lasts four times
    /// as long as the previous.
    private static let longestRefusalLifetime: TimeInterval = 3_600
    /// The age in seconds below which a refused token is kept: a mailbox that the application may
    /// not open must not cause a token request for each login.
    private static let minimumAge: TimeInterval = 60

    private let application: EntraApplication
    private let http: MicrosoftHTTPClient
    private let state = Mutex(State())

    package init(_ application: EntraApplication) {
        self.application = application
        self.http = MicrosoftHTTPClient(caFile: application.caFile)
    }

    /// Aborts a request in flight and returns at once.
    package func shutdown() {
        self.http.shutdown()
    }

    /// Waits, after ``shutdown()``, until the request in flight is answered: ``token()`` has thrown or
    /// is about to.
    package func requestsEnded() async {
        await self.http.requestsEnded()
        _ = await self.state.withLock(\.fetch)?.result
    }

    /// The current token, if it has not expired; sends no request.
    package func current(at now: Date = Date()) -> AccessToken? {
        self.state.withLock { state in
            state.token.flatMap { token in
                let margin = min(Self.margin, token.ends.timeIntervalSince(token.fetched) / 10)
                return token.ends.addingTimeInterval(-margin) > now ? token : nil
            }
        }
    }

    /// The current token, or a new one.
    /// - Throws: ``OnlineError`` with the reason why there is none.
    package func token() async throws -> AccessToken {
        if let token = self.current() { return token }
        let fetch = try self.state.withLock { state throws(OnlineError) in
            if let refusal = state.refusal, refusal.until > Date() { throw refusal.error }
            if let fetch = state.fetch { return fetch }
            let fetch = Task { try await self.fetch() }
            state.fetch = fetch
            return fetch
        }
        return try await fetch.value
    }

    /// Drops a token that a server refused, unless it is new.
    package func forget(_ value: String, at now: Date = Date()) {
        self.state.withLock { state in
            guard let token = state.token, token.value == value,
                token.fetched.addingTimeInterval(Self.minimumAge) < now
            else { return }
            state.token = nil
        }
    }

    /// Drops the last refusal: the next call of ``token()`` sends a request at once.
    package func forgetRefusal() {
        self.state.withLock { state in
            state.refusal = nil
            state.refusals = 0
        }
    }

    /// Requests a token and stores the result.
    private func fetch() async throws -> AccessToken {
        do {
            let token = try await self.request()
            self.state.withLock { state in
                state.token = token
                state.fetch = nil
                state.refusal = nil
                state.refusals = 0
            }
            return token
        } catch {
            let refusal = error as? OnlineError ?? OnlineError("\(error)")
            self.state.withLock { state in
                state.fetch = nil
                let lifetime = Self.lifetime(of: refusal, after: state.refusals)
                if !refusal.isPassing { state.refusals += 1 }
                state.refusal = (refusal, Date().addingTimeInterval(lifetime))
            }
            throw refusal
        }
    }

    /// How long a refusal is repeated, in seconds.
    /// - Parameter count: the number of permanent refusals before it.
    static func lifetime(of refusal: OnlineError, after count: Int) -> TimeInterval {
        guard !refusal.isPassing else { return Self.refusalLifetime }
        var lifetime = Self.refusalLifetime
        for _ in 0..<count where lifetime < Self.longestRefusalLifetime { lifetime *= 4 }
        return min(lifetime, Self.longestRefusalLifetime)
    }

    // MARK: - The request

    /// A token response (RFC 6749 §5.1).
    private struct Success: Decodable {
        var accessToken: String
        var expiresIn: Int
        var tokenType: String
    }

    /// An error response (RFC 6749 §5.2) with Microsoft's error codes.
    private struct Failure: Decodable {
        var error: String
        var errorCodes: [Int]?
    }

    /// Sends one token request.
    private func request() async throws -> AccessToken {
        let url = self.application.tokenURL
        var form = [
            ("client_id", self.application.clientID), ("scope", self.application.scope),
            ("grant_type", "client_credentials"),
        ]
        switch self.application.proof {
        case .secret(let secret):
            form.append(("client_secret", secret))
        case .certificate(let certificate):
            let assertion = try certificate.assertion(
                clientID: self.application.clientID,
                audience: url,
                now: Date()
            )
            form.append(
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            )
            form.append(("client_assertion", assertion))
        }
        let began = Date()
        let answer = try await self.http.post(
            url,
            headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: form.map { "\($0)=\(Self.encoded($1))" }.joined(separator: "&")
        )
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard answer.status == 200 else {
            let failure = try? decoder.decode(Failure.self, from: answer.body)
            throw self.explained(failure, status: answer.status)
        }
        guard let success = try? decoder.decode(Success.self, from: answer.body),
            success.tokenType.lowercased() == "bearer", !success.accessToken.isEmpty,
            success.accessToken.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw OnlineError("\(url) answered without a token") }
        return AccessToken(
            value: success.accessToken,
            fetched: began,
            ends: began.addingTimeInterval(TimeInterval(success.expiresIn))
        )
    }

    /// Percent-encodes a value of a form.
    private static func encoded(_ text: String) -> String {
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
        )
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    /// Explains an error by its code. The text of the response changes, and contains IDs of others.
    private func explained(_ failure: Failure?, status: Int) -> OnlineError {
        let code = failure?.errorCodes?.first
        let (application, tenant) = (self.application.clientID, self.application.tenant)
        switch code {
        case 7_000_215:
            return OnlineError(
                "Entra refuses the client secret: write its value, not its id, into the file that "
                    + "exchange.secretFile names"
            )
        case 7_000_222:
            return OnlineError(
                "the client secret has expired: make a new one for application \(application)"
            )
        case 700_016:
            return OnlineError(
                "tenant \(tenant) has no application \(application): check exchange.application "
                    + "and exchange.tenant"
            )
        case 90_002:
            return OnlineError("there is no tenant \(tenant): check exchange.tenant")
        case let code?:
            return OnlineError(
                "Entra gives no token (AADSTS\(code)): look the number up at "
                    + "login.microsoftonline.com/error"
            )
        case nil:
            return OnlineError("Entra gives no token (HTTP \(status))", isPassing: status >= 429)
        }
    }
}
