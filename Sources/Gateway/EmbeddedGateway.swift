import Access
package import Logging
package import NIOCore
package import Store

/// A gateway without sockets, TLS and threads, for measurements: the caller moves the octets of its
/// clients and mail servers, and the time.
///
/// Handlers, sessions and services are those of ``Gateway``. Nothing follows the store, and the audit
/// log is not written. Used on one event loop only.
package final class EmbeddedGateway {
    private let gateway: GatewayContext
    private let sessions = EventLoopSessions()

    /// - Parameter connector: connects the gateway to the mail servers that the caller simulates.
    /// - Throws: an error in the configuration, the certificates or the store.
    package init(
        configuration: GatewayConfiguration,
        store: PermissionStore,
        masterKey: MasterKey,
        logger: Logger,
        connector: any UpstreamConnector
    ) throws {
        self.gateway = try GatewayContext(
            configuration: configuration,
            store: store,
            masterKey: masterKey,
            logger: logger,
            connector: connector
        )
    }

    /// Adds the handler of a client whose TLS ends outside the channel. The caller fires
    /// `TLSUserEvent.handshakeCompleted`.
    /// - Parameter kind: a listener with implicit TLS.
    package func addClient(to channel: any Channel, kind: Listener.Kind) throws {
        try Pipeline.addDecryptedClient(
            to: channel,
            kind: kind,
            gateway: self.gateway,
            sessions: self.sessions
        )
    }

    /// Makes the gateway accept a password as one that it has checked a moment ago. No thread
    /// checks passwords here.
    /// - Parameter password: the user's password in the store.
    package func remember(_ password: String, of login: String) {
        let permissions = self.gateway.permissions.current
        guard let address = Address(login.utf8),
            let user = permissions.access.user(login: address),
            let record = permissions.passwords[user.id]
        else { return }
        self.gateway.authenticator.remember(
            user.id,
            password: PasswordHash.shortened(Array(password.utf8)),
            basis: StoredPasswords.basis(of: record)
        )
    }
}
