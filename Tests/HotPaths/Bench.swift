import Access
import Cryptography
import Foundation
import Gateway
import Logging
import NIOCore
import NIOEmbedded
import NIOTLS
import SASL
import Session
import Store
import Support

/// A gateway without sockets for one user with one mailbox, whose client and servers are simulated.
final class Bench {
    static let user = "anna@kanzlei.example"
    private static let password = "password of anna"
    /// Validity of the certificates, in seconds.
    private static let lifetime = 86_400

    let loop = EmbeddedEventLoop()
    let connector = EmbeddedConnector()
    private let folder: TemporaryFolder
    private let store: PermissionStore
    private let gateway: EmbeddedGateway

    init() throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        let masterKey = MasterKey()
        let path = folder.path("gatepost.sqlite")
        self.store = try PermissionStore(path: path)
        try Self.fill(self.store, masterKey: masterKey)
        let issued = try DevelopmentAuthority(lifetime: Self.lifetime).issue(
            authorityName: "Gatepost development authority",
            names: ["localhost"]
        )
        var limits = GatewayConfiguration.Limits()
        limits.sending = SendingCounter.Limits(
            messagesPerHour: .max,
            recipientsPerHour: .max
        )
        self.gateway = try EmbeddedGateway(
            configuration: GatewayConfiguration(
                file: folder.path("gatepost.yaml"),
                listeners: [],
                certificates: [
                    CertificateFiles(
                        certificate: try folder.write(issued.certificate, as: "server.pem"),
                        key: try folder.write(issued.key, as: "server.key")
                    )
                ],
                storeLocation: .file(path: path),
                masterKey: folder.path("master.key"),
                threads: 1,
                logLevel: "info",
                limits: limits,
                hostName: "gateway.kanzlei.example",
                exchange: nil,
                oversight: GatewayConfiguration.Oversight(),
                runAs: nil
            ),
            store: self.store,
            masterKey: masterKey,
            logger: Logger(label: "HotPaths") { _ in SwiftLogNoOpLogHandler() },
            connector: self.connector
        )
        self.gateway.remember(Self.password, of: Self.user)
    }

    deinit {
        self.store.close()
    }

    private static func fill(_ store: PermissionStore, masterKey: MasterKey) throws {
        try store.addUser(NewUser(Self.user, name: "Anna", password: Self.password), actor: "bench")
        var settings = AccountSettings()
        settings.kind = .imap
        settings.owner = Self.user
        settings.imap = Endpoint(host: "localhost", port: 143, tls: .none)
        settings.smtp = Endpoint(host: "localhost", port: 587, tls: .none)
        settings.password = Secret("password of the mailbox")
        try store.addAccount(Self.user, settings: settings, masterKey: masterKey, actor: "bench")
    }

    /// The message of SASL PLAIN in base64 (RFC 4616 §2).
    static var plain: String {
        Data("\u{0}\(Self.user)\u{0}\(Self.password)".utf8).base64EncodedString()
    }

    /// Connects a client, up to the greeting.
    func connect(_ kind: Listener.Kind) throws -> Peer {
        let client = Peer(channel: EmbeddedChannel(loop: self.loop))
        try self.gateway.addClient(to: client.channel, kind: kind)
        let address = try SocketAddress(ipAddress: "192.0.2.7", port: 993)
        client.channel.connect(to: address, promise: nil)
        client.channel.pipeline.fireUserInboundEventTriggered(
            TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil)
        )
        self.loop.run()
        return client
    }
}
