import Access
package import Exchange
import NIOCore
package import SASL
package import Store

/// Provides the credential for an account's server: the sealed password, or, for an Exchange
/// account without one, a token of the gateway's Entra application.
package final class CredentialSource: Sendable {
    /// Unseals stored passwords.
    private let masterKey: MasterKey
    /// Names the servers that may get a token; nil without `exchange` in the configuration.
    private let application: EntraApplication?
    /// Fetches and caches tokens; nil without an application.
    private let tokens: TokenSource?

    /// - Parameter application: the Entra application; nil if `exchange` is not configured.
    package init(_ masterKey: MasterKey, application: EntraApplication?) {
        self.masterKey = masterKey
        self.application = application
        self.tokens = application.map(TokenSource.init)
    }

    /// Aborts token requests in flight and waits for their end. Sessions that wait for a token then
    /// have its error: shut the event loops down afterwards.
    package func shutdown() async {
        self.tokens?.shutdown()
        await self.tokens?.requestsEnded()
    }

    /// The credential of an account. May wait for a token from the network.
    /// - Throws: `StoreError` if there is none, `OnlineError` if no token can be fetched.
    package func credential(of account: UpstreamAccount) async throws -> UpstreamCredential {
        guard account.usesToken else { return try self.masterKey.credential(of: account) }
        return try Self.credential(of: account, token: await self.tokenSource(account).token())
    }

    /// The same on an event loop.
    /// - Returns: a future on `loop`, complete at once if no request is needed.
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
                return loop.makeSucceededFuture(try Self.credential(of: account, token: token))
            }
            return loop.makeFutureWithTask {
                try Self.credential(of: account, token: await tokens.token())
            }
        } catch {
            return loop.makeFailedFuture(error)
        }
    }

    /// A server refused a token: the next login fetches a new one.
    func refused(_ credential: UpstreamCredential) {
        guard case .token(let token) = credential.proof else { return }
        self.tokens?.forget(String(decoding: token.value, as: UTF8.self))
    }

    /// A server accepted a token of another process, such as `account test`: forget an earlier
    /// refusal.
    func tokensAccepted() {
        self.tokens?.forgetRefusal()
    }

    /// - Throws: `StoreError.unusable` if there is no application, or if the server must not get a
    ///   token. A token opens every mailbox that the application may access, so only trusted
    ///   servers with TLS get one.
    private func tokenSource(_ account: UpstreamAccount) throws -> TokenSource {
        guard let tokens = self.tokens, let application = self.application else {
            throw StoreError.unusable(
                "\(account.address) has no password, and no Exchange application is configured: "
                    + "set exchange.tenant and exchange.application"
            )
        }
        for endpoint in [account.imap, account.smtp].compactMap({ $0 })
        where endpoint.tls == .none || !application.trusts(mailServer: endpoint.host) {
            throw StoreError.unusable(
                "\(endpoint.host) gets no token: \(account.address) needs a server of Exchange Online "
                    + "with TLS, or add this server to exchange.mailDomains"
            )
        }
        return tokens
    }

    /// The XOAUTH2 credential of an account.
    private static func credential(
        of account: UpstreamAccount,
        token: AccessToken
    ) throws -> UpstreamCredential {
        try UpstreamCredential(
            user: account.username,
            proof: .token(Secret(Array(token.value.utf8)))
        )
    }
}
