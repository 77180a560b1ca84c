import Cryptography
import Synchronization

/// Asks one issuer about tokens (RFC 7662), and keeps its answers for a short time.
///
/// The answers are kept by the SHA-256 digest of the token. Callers with the same token share one
/// request.
final class Introspector: Sendable {
    /// A kept answer.
    private struct Answer {
        var verdict: TokenVerdict
        /// When it was requested, in seconds since 1970.
        var time: Int64
        /// How long it is kept, in seconds.
        var lifetime: Int64

        func isCurrent(at now: Int64) -> Bool {
            now >= self.time && now - self.time < self.lifetime
        }
    }

    private struct State {
        var answers: [[UInt8]: Answer] = [:]
        var requests: [[UInt8]: Task<TokenVerdict, Never>] = [:]
        /// The reason and time of the last request without an answer.
        var silence: (reason: String, time: Int64)?
    }

    /// How long an answer is kept, in seconds: a revoked token works that long.
    private static let lifetime: Int64 = 60
    /// How long a silent server is not asked again, in seconds.
    private static let silenceLifetime: Int64 = 10
    /// The most kept answers. Without a limit, random tokens fill the memory.
    private static let maximumAnswers = 10_000
    /// The most concurrent requests. The client has 4 threads: with more, the last one would wait
    /// longer than 40 seconds for a server that hangs.
    private static let maximumRequests = 16

    let issuer: TokenIssuer
    private let request: IntrospectionRequest
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())

    init(
        connection: IssuerConnection,
        introspection: TokenIssuer.Introspection,
        now: @escaping @Sendable () -> Int64
    ) {
        self.issuer = connection.issuer
        self.request = IntrospectionRequest(
            connection: connection,
            introspection: introspection,
            now: now
        )
        self.now = now
    }

    /// What the issuer says about a token.
    func verdict(on token: [UInt8]) async -> TokenVerdict {
        let digest = SHA256.digest(of: token)
        let request = self.state.withLock { state -> Result<Task<TokenVerdict, Never>, Ended> in
            let now = self.now()
            if let answer = state.answers[digest], answer.isCurrent(at: now) {
                return .failure(Ended(verdict: answer.verdict))
            }
            if let request = state.requests[digest] { return .success(request) }
            if let silence = state.silence {
                if now >= silence.time, now - silence.time < Self.silenceLifetime {
                    return .failure(Ended(verdict: .unavailable(silence.reason)))
                }
                // One caller tries again. The others do not wait for its answer.
                state.silence?.time = now
            }
            guard state.requests.count < Self.maximumRequests else {
                let reason = "more than \(Self.maximumRequests) introspections wait already"
                return .failure(Ended(verdict: .unavailable(reason)))
            }
            let request = Task { await self.ask(about: token, digest: digest) }
            state.requests[digest] = request
            return .success(request)
        }
        switch request {
        case .success(let request): return await request.value
        case .failure(let ended): return ended.verdict
        }
    }

    /// A verdict without a request.
    private struct Ended: Error {
        var verdict: TokenVerdict
    }

    private func ask(about token: [UInt8], digest: [UInt8]) async -> TokenVerdict {
        let began = self.now()
        let result: Result<TokenVerdict, FetchFailure>
        do throws(FetchFailure) {
            result = .success(self.verdict(by: try await self.request.response(about: token)))
        } catch {
            result = .failure(error)
        }
        return self.state.withLock { state in
            state.requests[digest] = nil
            switch result {
            case .success(let verdict):
                state.silence = nil
                self.keep(verdict, digest: digest, time: began, in: &state)
                return verdict
            case .failure(let failure):
                // An answer with an error does not stop the requests: one token may cause it.
                if failure.isSilence { state.silence = (failure.reason, self.now()) }
                return .unavailable(failure.reason)
            }
        }
    }

    /// Judges a response, whose `active` is a Boolean (RFC 7662 §2.2).
    private func verdict(by response: JSONObject) -> TokenVerdict {
        guard response["active"] == .bool(true) else { return .refused(.inactive) }
        if let name = response["iss"], name != .string(ExactText(self.issuer.issuer)) {
            return .refused(.issuer)
        }
        do throws(TokenRefusal) {
            let claims = TokenClaims(claims: response, issuer: self.issuer)
            return .verified(try claims.token(at: self.now()))
        } catch {
            return .refused(error)
        }
    }

    private func keep(
        _ verdict: TokenVerdict,
        digest: [UInt8],
        time: Int64,
        in state: inout State
    ) {
        var lifetime = Self.lifetime
        if case .verified(let token) = verdict { lifetime = min(lifetime, token.expires - time) }
        guard lifetime > 0 else { return }
        if state.answers.count >= Self.maximumAnswers {
            let now = self.now()
            state.answers = state.answers.filter { $0.value.isCurrent(at: now) }
        }
        guard state.answers.count < Self.maximumAnswers else { return }
        state.answers[digest] = Answer(verdict: verdict, time: time, lifetime: lifetime)
    }
}
