import Access
import Dispatch
import OAuth
import SASL
import Session
import Store
import Synchronization

/// Access tokens of OAuth issuers (`authentication.issuers`), which clients send with OAUTHBEARER or
/// XOAUTH2.
///
/// The session of a token ends when the token expires.
struct AccessTokens: AuthenticationSource {
    typealias Verifier = @Sendable ([UInt8]) async -> TokenVerdict

    let name = AuthenticationSourceName.oauth
    /// Checks at once. Few wait for an issuer: its keys are kept.
    let threads = 16
    private static let subject = Array("oauth".utf8)

    let verifier: Verifier
    /// The domains whose logins an issuer vouches for, by the issuer's name; an issuer that is missing
    /// vouches for all.
    var domains: [String: Set<String>] = [:]
    /// Ends the requests to issuers.
    var shutDown: @Sendable () -> Void = {}

    func stop() { self.shutDown() }

    func check(of claim: LoginClaim, in permissions: StoreSnapshot) -> SourceCheck? {
        guard let token = claim.token else { return nil }
        let login = claim.user.login
        return SourceCheck(subject: Self.subject, basis: Self.subject, isRemembered: false) {
            self.verdict(self.wait(for: token.value), for: login, at: .current)
        }
    }

    /// What a verdict about a token means for a login.
    func verdict(
        _ verdict: TokenVerdict,
        for login: Address,
        at now: Moment
    ) -> SourceVerdict {
        switch verdict {
        case .verified(let token):
            guard Address(token.login.utf8) == login else {
                return .refused(detail: "the token belongs to another user")
            }
            if let domains = self.domains[token.issuer], !domains.contains(login.domain) {
                return .refused(detail: "the issuer of the token does not issue for this domain")
            }
            // The verifier allows for clocks that differ; the session would end at once.
            let expires = Moment(seconds: token.expires)
            guard now < expires else { return .refused(detail: "the token has expired (exp)") }
            return .verified(LoginEnd(expires: expires))
        case .refused(let refusal):
            return .refused(detail: "\(refusal)")
        case .unavailable(let reason):
            return .unavailable(reason: reason)
        }
    }

    /// Verifies a token. Blocks this thread, which is one of the source's own.
    private func wait(for token: [UInt8]) -> TokenVerdict {
        let answer = Answer()
        Task.detached { [verifier] in answer.give(await verifier(token)) }
        return answer.wait()
    }

    /// The verdict of a task, for the thread that waits for it.
    private final class Answer: Sendable {
        private let verdict = Mutex<TokenVerdict?>(nil)
        private let isGiven = DispatchSemaphore(value: 0)

        func give(_ verdict: TokenVerdict) {
            self.verdict.withLock { $0 = verdict }
            self.isGiven.signal()
        }

        func wait() -> TokenVerdict {
            self.isGiven.wait()
            return self.verdict.withLock { $0 } ?? .unavailable("the check was not made")
        }
    }
}
