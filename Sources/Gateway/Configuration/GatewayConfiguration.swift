package import Exchange
import Foundation
package import NIOCore
package import Session
package import Store
import TLS

/// What a gateway is told by its configuration.
package struct GatewayConfiguration: Sendable {
    /// Bounds that an administrator may change.
    package struct Limits: Sendable {
        package var connectionsPerAddress = 200
        package var connectionsPerUser = 50
        /// From a connection's start to its login.
        package var loginTimeout = TimeAmount.seconds(30)
        /// Silence of a client that is logged in; RFC 9051 §5.4 asks for 30 minutes at least.
        package var idleTimeout = TimeAmount.minutes(31)
        /// Connecting to a server and logging in there, from the circuit breaker's permission on; before that a login
        /// waits as long at most for others with the same credential. So a client waits twice this time at most.
        package var upstreamTimeout = TimeAmount.seconds(15)
        /// How long LIST waits for a server that tells nothing: then its folders are listed as they were known
        /// last. People look at an empty window meanwhile.
        package var listTime = TimeAmount.seconds(2)
        /// Shared accounts to which a session connects to list their folders although another session listed them a
        /// moment ago.
        package var listConnections = 8
        /// How long a list of a shared account's folders is shown to sessions that have no connection there,
        /// without waiting for the server.
        package var folderListTime = TimeAmount.minutes(10)
        /// Silence of a server that is to list folders, to open one, or to answer the gateway itself: mail
        /// programs wait 100 seconds for an answer, and get the one without this server before that.
        package var upstreamAnswerTime = TimeAmount.seconds(60)
        /// Silence of a server that is to search, read, copy or change messages. Without an index that takes
        /// minutes; a server that is dead by then takes no more of its client's time.
        package var upstreamWorkTime = TimeAmount.minutes(10)
        /// Silence of a server in a transfer between accounts, and while it takes a message: RFC 5321
        /// §4.5.3.2.5 gives three minutes for a block of a message, and a MULTIAPPEND is stored as a whole.
        package var upstreamTransferTime = TimeAmount.minutes(5)
        /// In which a server has stored what it got, although its connection was lost.
        package var settleTime = TimeAmount.seconds(30)
        /// For messages that are being sent, when the gateway is told to stop.
        package var drainTime = TimeAmount.seconds(20)
        /// The largest message that is taken for sending.
        package var messageMebibytes = 100
        /// For a message that is being sent, besides a second for each 1,000 octets of it.
        package var messageTime = TimeAmount.minutes(10)
        package var sending = SendingCounter.Limits()
        /// From when on it is logged that work held an event loop; nil measures nothing.
        package var stallTime: TimeAmount?

        package init() {}
    }

    /// What becomes of shared access when the audit log cannot be written.
    package enum AuditMode: String, CaseIterable, Sendable {
        /// It is refused until the log can be written again.
        case required
        /// It goes on.
        case besteffort
    }

    /// The audit log, and the owners' say.
    package struct Oversight: Sendable {
        package var audit = AuditMode.besteffort
        /// Nil keeps records for good.
        package var auditDays: Int?
        package var consent = Consent.off

        package init() {}
    }

    /// The file itself.
    package var file: String
    package var listeners: [Listener]
    package var certificates: [CertificateFiles]
    package var store: String
    package var masterKey: String
    /// Event loops; one for each core by default.
    package var threads: Int
    package var logLevel: String
    package var limits: Limits
    /// What the gateway calls itself towards servers for sending.
    package var hostName: String
    /// The application that the gateway is for Exchange Online; nil where there is none.
    package var exchange: EntraApplication?
    package var oversight: Oversight
    /// Whom a gateway that was started by root becomes once its ports are open; nil stays root.
    package var runAs: String?
    /// Whether a folder of another account is subscribed until its user unsubscribes.
    package var subscribesShared = true

    package init(
        file: String,
        listeners: [Listener],
        certificates: [CertificateFiles],
        store: String,
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
        self.store = store
        self.masterKey = masterKey
        self.threads = threads
        self.logLevel = logLevel
        self.limits = limits
        self.hostName = hostName
        self.exchange = exchange
        self.oversight = oversight
        self.runAs = runAs
    }

    /// The socket for commands of administrators, beside the store.
    package var controlSocket: String {
        let folder = URL(fileURLWithPath: self.store).deletingLastPathComponent()
        return folder.appendingPathComponent("gatepost.sock").path
    }

    var imapTLS: TLSServerConfiguration { self.serverTLS("imap") }

    var submissionTLS: TLSServerConfiguration { self.serverTLS("smtp") }

    /// - Parameter name: of the protocol; sessions of one are not resumed in another.
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

/// A certificate with its chain, and its key, as PEM files.
package struct CertificateFiles: Equatable, Sendable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// A socket that clients connect to.
package struct Listener: Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// TLS from the first octet (RFC 8314 §3.2).
        case imaps
        /// STARTTLS before the login.
        case imap
        /// Submission with TLS from the first octet (RFC 8314 §3.3).
        case submissions
        /// Submission with STARTTLS before the login (RFC 6409).
        case submission

        var isImplicitTLS: Bool { self == .imaps || self == .submissions }
    }

    package var kind: Kind
    package var address: String
    package var port: Int

    package init(kind: Kind, address: String, port: Int) {
        self.kind = kind
        self.address = address
        self.port = port
    }
}
