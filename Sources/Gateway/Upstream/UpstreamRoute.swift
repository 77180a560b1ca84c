import Access
import NIOCore
import SASL
import Store

/// How a channel reaches a server: endpoint, credential, limits and log. ``UpstreamServices``
/// creates the routes of a gateway, ``Probe`` those of a command.
struct UpstreamRoute {
    /// Limits the concurrent connections of an account, for servers that accept few.
    struct Slot {
        /// Waits for a slot, on the given event loop.
        var acquire: (any EventLoop) -> EventLoopFuture<Void>
        /// Releases an acquired slot.
        var release: () -> Void
    }

    /// Host, port and TLS of the server.
    let endpoint: Endpoint
    /// Opens the TCP connection.
    let connector: any UpstreamConnector
    /// TLS contexts by their trusted certificates.
    let clientTLS: ClientContexts
    /// The times for connecting, the login and answers.
    let limits: GatewayConfiguration.Limits
    /// Why no connection is attempted now; nil if one may be.
    var denial: () -> UpstreamDenial? = { nil }
    /// Nil for servers without such a limit.
    var slot: Slot?
    /// The credential with the circuit breaker's permission.
    let lease: (any EventLoop) -> EventLoopFuture<CredentialLease>
    /// Nil for a probe, which reports failures itself.
    var log: UpstreamLog?
}

/// The log of one server's failures.
struct UpstreamLog {
    let log: ServerLog
    /// The account that the messages name.
    let account: UpstreamAccount
    let endpoint: Endpoint
    /// The subject of the messages: `mail server` or `server for sending`.
    let name: String

    /// Logs a failure at a limited rate.
    /// - Parameters:
    ///   - what: completes the sentence that ``name`` begins.
    ///   - error: part of the failure's kind; must not contain text that a server chose.
    func write(
        _ what: StaticString,
        error: String?,
        excerpt: ServerLog.Excerpt? = nil,
        on loop: any EventLoop
    ) {
        let failure = ServerLog.Failure(
            "\(self.name) \(what)",
            account: self.account,
            at: self.endpoint,
            error: error
        )
        self.log.log(failure, excerpt: excerpt, on: loop)
    }
}

/// Routes of a running gateway, with circuit breaker, pauses, slots and log.
extension UpstreamServices {
    /// The route to an account's mail server.
    /// - Parameter user: the user whose session logs in; nil for the gateway's own conversations.
    func route(to account: UpstreamAccount, by user: UserID?) -> UpstreamRoute {
        var route = self.route(to: account, at: account.imap, service: .imap, user: user)
        route.denial = { self.profiles.isPaused(account) ? .paused : nil }
        return route
    }

    /// The route to an account's submission server.
    /// - Parameters:
    ///   - endpoint: the submission server.
    ///   - user: the user whose session logs in.
    func sendingRoute(
        to account: UpstreamAccount,
        at endpoint: Endpoint,
        by user: UserID?
    ) -> UpstreamRoute {
        var route = self.route(to: account, at: endpoint, service: .submission, user: user)
        // A suspended credential fails at once, without a wait for a slot.
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

    /// What the routes of both protocols have in common.
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
