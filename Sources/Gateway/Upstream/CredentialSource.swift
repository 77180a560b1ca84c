import Access
package import Exchange
import NIOCore
package import SASL
package import Store

/// Finds what to log in with at an account's server: the sealed password, or for an Exchange
/// account without one a token of the gateway's application.
package final class CredentialSource: Sendable {
    private let masterKey: MasterKey
    private let application: EntraApplication?
    private let tokens: TokenSource?

    package init(_ masterKey: MasterKey, application: EntraApplication?) {
        self.masterKey = masterKey
        self.application = application
        self.tokens = application.map(TokenSource.init)
    }

    package func shutdown() async {
        self.tokens?.shutdown()
    }

    package func credential(of account: UpstreamAccount) async throws -> UpstreamCredential {
        guard account.usesToken else { return try self.masterKey.credential(of: account) }
        return try Self.credential(of: account, await self.tokenSource(account).token())
    }

    /// - Returns: on the loop, and at once where nobody has to be asked.
    func credential(
        of account: UpstreamAccount,
        on loop: any EventLoop
    ) -> EventLoopFuture<UpstreamCredential> {
        do {
            guard account.usesToken else {
                return loop.makeSucceededFuture(try self.masterKey.credential(of: account))
            }
            let tokens = try self.tokenSource(account)
            if let token = tokens.current() {
                return loop.makeSucceededFuture(try Self.credential(of: account, token))
            }
            return loop.makeFutureWithTask {
                try Self.credential(of: account, await tokens.token())
            }
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    /// A server refused a token: the next one is fetched anew.
    func refused(_ credential: UpstreamCredential) {
        guard case .token(let token) = credential.proof else { return }
        self.tokens?.forget(String(decoding: token.value, as: UTF8.self))
    }

    /// A server accepted a token of another process: an earlier refusal is not told again.
    func tokensAccepted() {
        self.tokens?.forgetRefusal()
    }

    private func tokenSource(_ account: UpstreamAccount) throws -> TokenSource {
        guard let tokens = self.tokens, let application = self.application else {
            throw StoreError.unusable(
                "\(account.address) has no password, and the configuration no application for "
                    + "Exchange: fill in exchange.tenant and exchange.application"
            )
        }
        for endpoint in [account.imap, account.smtp].compactMap({ $0 })
        where endpoint.tls == .none || !application.trusts(mailServer: endpoint.host) {
            throw StoreError.unusable(
                "\(endpoint.host) gets no token: \(account.address) needs Exchange's own servers, "
                    + "with TLS, or exchange.mailDomains has to name this one"
            )
        }
        return tokens
    }

    private static func credential(
        of account: UpstreamAccount,
        _ token: AccessToken
    ) throws -> UpstreamCredential {
        try UpstreamCredential(
            user: account.username,
            proof: .token(Secret(Array(token.value.utf8)))
        )
    }
}
