package import Exchange
import Foundation
package import NIOCore
package import Session
package import Store
import TLS

/// The values of a configuration file, checked.
package struct GatewayConfiguration: Sendable {
    /// The part `limits`: bounds that an administrator may change.
    package struct Limits: Sendable {
        /// Connections of one client address.
        package var connectionsPerAddress = 200
        /// Connections of one user.
        package var connectionsPerUser = 50
        /// The time from a connection's start to its login.
        package var loginTimeout = TimeAmount.seconds(30)
        /// The silence of a client after its login; RFC 9051 §5.4 asks for at least 30 minutes.
        package var idleTimeout = TimeAmount.minutes(31)
        /// The time for connecting to a server and logging in, from the circuit breaker's
        /// permission on. Before that, a login waits for others with the same credential for at
        /// most the same time. So a client waits at most twice this time.
        package var upstreamTimeout = TimeAmount.seconds(15)
        /// How long LIST waits for a server that does not answer; then the cached folders are
        /// listed. Users look at an empty window meanwhile.
        package var listTime = TimeAmount.seconds(2)
        /// How many shared accounts a session connects to for LIST although their folders are
        /// cached.
        package var listConnections = 8
        /// How long a cached list of a shared account's folders is shown without waiting for the
        /// server, to sessions without a connection there.
        package var folderListTime = TimeAmount.minutes(10)
        /// The silence of a server that must list folders, open one, or answer the gateway itself.
        /// Mail programs wait 100 seconds for a response; they receive one, without this server,
        /// before that.
        package var upstreamAnswerTime = TimeAmount.seconds(60)
        /// The silence of a server that searches, reads, copies or changes messages. Without an
        /// index that takes minutes. After this time the server counts as dead.
        package var upstreamWorkTime = TimeAmount.minutes(10)
        /// The silence of a server during a transfer between accounts and while it receives a
        /// message. RFC 5321 §4.5.3.2.5 gives three minutes for a block of a message, and a
        /// MULTIAPPEND is stored as a whole.
        package var upstreamTransferTime = TimeAmount.minutes(5)
        /// The time in which a server has stored what it received, even if its connection was lost.
        package var settleTime = TimeAmount.seconds(30)
        /// The time for messages in transit when the gateway stops.
        package var drainTime = TimeAmount.seconds(20)
        /// The largest message that is accepted for sending, in MiB.
        package var messageMebibytes = 100
        /// The time for a message, besides a second for each 1,000 octets of it.
        package var messageTime = TimeAmount.minutes(10)
        /// The messages and recipients that a user may send.
        package var sending = SendingCounter.Limits()
        /// The processor time from which a held event loop is logged; nil measures nothing.
        package var stallTime: TimeAmount?

        package init() {}
    }

    /// Whether shared access depends on the audit log.
    package enum AuditMode: String, CaseIterable, Sendable {
        /// Shared access is suspended while the log cannot be written.
        case required
        /// Shared access continues.
        case besteffort
    }

    /// The audit log, and the consent of owners.
    package struct Oversight: Sendable {
        package var audit = AuditMode.besteffort
        /// The retention of audit records in days; nil keeps them for good.
        package var auditDays: Int?
        /// Whether grants need the consent of the account's owner.
        package var consent = Consent.off

        package init() {}
    }

    /// The path of the configuration file.
    package var file: String
    /// The sockets for clients; at least one.
    package var listeners: [Listener]
    /// The certificates for clients; at least one.
    package var certificates: [CertificateFiles]
    /// Where the store is.
    package var storeLocation: StoreLocation
    /// The path of the file with the key that seals stored credentials.
    package var masterKey: String
    /// The number of event loops; by default one for each core.
    package var threads: Int
    /// The lowest level that is logged.
    package var logLevel: String
    /// Defaults for all missing keys.
    package var limits: Limits
    /// The gateway's name in EHLO.
    package var hostName: String
    /// The gateway's application in Exchange Online; nil without one.
    package var exchange: EntraApplication?
    /// The keys `audit`, `auditDays` and `consent`.
    package var oversight: Oversight
    /// The user that a gateway which root has started switches to once its ports are open; nil
    /// stays root.
    package var runAs: String?
    /// Whether folders of other accounts are subscribed until their user unsubscribes.
    package var subscribesShared = true
    /// Whether verified logins are kept across a restart.
    package var keepsLogins = false
    /// The part `authentication`: which sources verify logins.
    package var authentication = AuthenticationSettings()

    package init(
        file: String,
        listeners: [Listener],
        certificates: [CertificateFiles],
        storeLocation: StoreLocation,
        masterKey: String,
        threads: Int,
        logLevel: String,
        limits: Limits,
        hostName: String,
        exchange: EntraApplication?,
        oversight: Oversight,
        runAs: String?
    ) {
        self.file = file
        self.listeners = listeners
        self.certificates = certificates
        self.storeLocation = storeLocation
        self.masterKey = masterKey
        self.threads = threads
        self.logLevel = logLevel
        self.limits = limits
        self.hostName = hostName
        self.exchange = exchange
        self.oversight = oversight
        self.runAs = runAs
    }

    /// TLS for IMAP clients; the only application protocol is `imap` (RFC 7301).
    var imapTLS: TLSServerConfiguration { self.serverTLS("imap") }

    /// TLS for submission clients; the only application protocol is `smtp`.
    var submissionTLS: TLSServerConfiguration { self.serverTLS("smtp") }

    /// - Parameter name: the application protocol. TLS sessions of one protocol cannot be resumed
    ///   in another.
    private func serverTLS(_ name: String) -> TLSServerConfiguration {
        TLSServerConfiguration(
            certificates: self.certificates.map {
                TLSCertificateFiles(certificate: $0.certificate, key: $0.key)
            },
            alpn: [name],
            sessionContext: "gatepost \(name)"
        )
    }
}

/// The paths of a certificate with its chain and of its key, in PEM.
package struct CertificateFiles: Equatable, Sendable {
    /// The path of the certificate, followed by its chain.
    package var certificate: String
    /// The path of the private key in PEM.
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// A socket that clients connect to.
package struct Listener: Equatable, Sendable {
    /// The protocol of a listener, and how TLS begins.
    package enum Kind: String, CaseIterable, Sendable {
        /// IMAP with TLS from the first octet (RFC 8314 §3.2).
        case imaps
        /// STARTTLS before the login.
        case imap
        /// Submission with TLS from the first octet (RFC 8314 §3.3).
        case submissions
        /// Submission with STARTTLS before the login (RFC 6409).
        case submission

        /// Whether TLS begins with the first octet.
        var isImplicitTLS: Bool { self == .imaps || self == .submissions }
    }

    package var kind: Kind
    /// An IP address of this machine.
    package var address: String
    /// From 1 to 65,535.
    package var port: Int

    package init(kind: Kind, address: String, port: Int) {
        self.kind = kind
        self.address = address
        self.port = port
    }
}
