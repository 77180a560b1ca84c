import Access
import NIOCore
import SASL
import Store

/// How a channel to a server is opened: where it is, with which credential, and within which time. In a gateway, for a
/// session or a conversation without a client (``UpstreamServices``), or for a command that tries a server
/// (``Probe``).
struct UpstreamRoute {
    /// Who may be connected at once, where a server takes few connections.
    struct Slot {
        var acquire: (any EventLoop) -> EventLoopFuture<Void>
        /// Gives back what ``acquire`` got.
        var release: () -> Void
    }

    let endpoint: Endpoint
    let connector: any UpstreamConnector
    let clientTLS: ClientContexts
    let limits: GatewayConfiguration.Limits
    /// Why nobody is connected now; nil where somebody may be.
    var denial: () -> UpstreamDenial? = { nil }
    /// Nil where as many may be connected as want.
    var slot: Slot?
    let lease: (any EventLoop) -> EventLoopFuture<CredentialLease>
    /// Where trouble is logged; nil for a command that tells it.
    var log: UpstreamLog?
}

/// Where the log tells of a server's trouble.
struct UpstreamLog {
    let log: ServerLog
    let account: UpstreamAccount
    let endpoint: Endpoint
    /// What the log calls it.
    let name: String

    func write(
        _ what: StaticString,
        error: String?,
        words: ServerLog.Words? = nil,
        on loop: any EventLoop
    ) {
        let trouble = ServerLog.Trouble(
            "\(self.name) \(what)",
            account: self.account,
            at: self.endpoint,
            error: error
        )
        self.log.log(trouble, words: words, on: loop)
    }
}

extension UpstreamServices {
    /// - Parameter user: whose session logs in; nil for the gateway's own conversations.
    func route(to account: UpstreamAccount, by user: UserID?) -> UpstreamRoute {
        var route = self.route(to: account, at: account.imap, service: .imap, user: user)
        route.denial = { self.profiles.isPaused(account) ? .paused : nil }
        return route
    }

    /// - Parameters:
    ///   - endpoint: the account's server for sending.
    ///   - user: whose session logs in.
    func sendingRoute(
        to account: UpstreamAccount,
        at endpoint: Endpoint,
        by user: UserID?
    ) -> UpstreamRoute {
        var route = self.route(to: account, at: endpoint, service: .submission, user: user)
        // Who has to wait for a slot need not wait for this.
        route.denial = {
            switch self.credentialBreaker.denial(account, service: .submission) {
            case .credentialRefused: .credentialSuspended
            case .serverUnanswering: .serverUnanswering
            case nil: nil
            }
        }
        if account.kind == .exchange {
            route.slot = UpstreamRoute.Slot(
                acquire: { self.sendingSlots.acquire(account.id, for: user, on: $0) },
                release: { self.sendingSlots.release(account.id) }
            )
        }
        return route
    }

    private func route(
        to account: UpstreamAccount,
        at endpoint: Endpoint,
        service: CredentialService,
        user: UserID?
    ) -> UpstreamRoute {
        UpstreamRoute(
            endpoint: endpoint,
            connector: self.connector,
            clientTLS: self.clientTLS,
            limits: self.limits,
            lease: { self.credentialLease(of: account, for: service, by: user, on: $0) },
            log: UpstreamLog(
                log: self.serverLog,
                account: account,
                endpoint: endpoint,
                name: service == .imap ? "mail server" : "server for sending"
            )
        )
    }
}
