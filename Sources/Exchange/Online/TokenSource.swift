package import Foundation
import Synchronization

/// An access token, and until when it is good.
package struct AccessToken: Sendable {
    package var value: String
    package var fetched: Date
    package var ends: Date
}

/// Access tokens of one application in one tenant (OAuth 2.0 client credentials, RFC 6749 §4.4):
/// fetched when needed, kept until shortly before they end, one fetch at a time.
package final class TokenSource: Sendable {
    private struct State {
        var token: AccessToken?
        var fetch: Task<AccessToken, any Error>?
        /// A refusal, told again for some seconds: many sessions ask at once.
        var refusal: (error: OnlineError, until: Date)?
        /// Refusals that do not pass by themselves, since the last token.
        var refusals = 0
    }

    /// A token is renewed this long before it ends, or in the last tenth of its time.
    private static let margin: TimeInterval = 300
    private static let refusalLifetime: TimeInterval = 10
    /// A wrong secret is tried at longer and longer intervals, four times as long each, up to this.
    private static let longestRefusalLifetime: TimeInterval = 3_600
    /// A token younger than this is not the reason why a server refuses it: a mailbox that the
    /// application may not use must not make every login fetch another.
    private static let minimumAge: TimeInterval = 60

    private let application: EntraApplication
    private let http: MicrosoftHTTPClient
    private let state = Mutex(State())

    package init(_ application: EntraApplication) {
        self.application = application
        self.http = MicrosoftHTTPClient(caFile: application.caFile)
    }

    package func shutdown() {
        self.http.shutdown()
    }

    /// The token that is known, while it is good; asks nobody.
    package func current(at now: Date = Date()) -> AccessToken? {
        self.state.withLock { state in
            state.token.flatMap { token in
                let margin = min(Self.margin, token.ends.timeIntervalSince(token.fetched) / 10)
                return token.ends.addingTimeInterval(-margin) > now ? token : nil
            }
        }
    }

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

    /// A server refused the token: the next one that is asked for is a new one.
    package func forget(_ value: String, at now: Date = Date()) {
        self.state.withLock { state in
            guard let token = state.token, token.value == value,
                token.fetched.addingTimeInterval(Self.minimumAge) < now
            else { return }
            state.token = nil
        }
    }

    /// The application is known to get tokens again: the next one that is asked for is fetched at once.
    package func forgetRefusal() {
        self.state.withLock { state in
            state.refusal = nil
            state.refusals = 0
        }
    }

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

    /// How long a refusal is told again.
    /// - Parameter count: refusals before it that do not pass by themselves.
    static func lifetime(of refusal: OnlineError, after count: Int) -> TimeInterval {
        guard !refusal.isPassing else { return Self.refusalLifetime }
        var lifetime = Self.refusalLifetime
        for _ in 0..<count where lifetime < Self.longestRefusalLifetime { lifetime *= 4 }
        return min(lifetime, Self.longestRefusalLifetime)
    }

    // MARK: - The request

    private struct Success: Decodable {
        var accessToken: String
        var expiresIn: Int
        var tokenType: String
    }

    private struct Failure: Decodable {
        var error: String
        var errorCodes: [Int]?
    }

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

    private static func encoded(_ text: String) -> String {
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
        )
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    /// By the number, because texts change; they hold ids that are nobody else's business.
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
