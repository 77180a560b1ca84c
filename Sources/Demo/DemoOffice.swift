package import Foundation

/// The office of the demo: three users, a function mailbox, an Exchange mailbox, two IMAP servers
/// and a submission server.
package struct DemoOffice {
    static let anna = "anna@kanzlei.example"
    static let bob = "bob@kanzlei.example"
    static let clara = "clara@kanzlei.example"
    static let info = "info@kanzlei.example"
    /// An Exchange account; ``MicrosoftTestServer`` has its permissions.
    static let vertrieb = "vertrieb@kanzlei.example"
    static let people = [anna, bob, clara]

    /// The folder of the demo's files.
    let folder: URL
    /// The folder of the gateway's configuration and store.
    package let gateway: URL
    // The ports of the gateway's listeners on 127.0.0.1.
    package let imaps: Int
    package let imap: Int
    package let submissions: Int
    package let submission: Int
    /// The IMAP server of all mailboxes except Bob's.
    let first: DovecotServer
    /// The IMAP server of Bob's mailbox. Its delimiter is `.`, which clients see as `/`.
    let second: DovecotServer
    /// The submission server; it delivers to both IMAP servers.
    let mta: EximServer
    /// The stand-in for Microsoft Entra and Exchange Online.
    let microsoft: MicrosoftTestServer

    /// Chooses free ports.
    /// - Parameter folder: a folder that ``prepare()`` creates for the demo.
    package init(folder: URL) throws {
        self.folder = folder
        self.gateway = folder.appendingPathComponent("gateway")
        self.imaps = try LoopbackPort.free(preferring: 10_993)
        self.imap = try LoopbackPort.free(preferring: 10_143)
        self.submissions = try LoopbackPort.free(preferring: 10_465)
        self.submission = try LoopbackPort.free(preferring: 10_587)
        self.microsoft = MicrosoftTestServer(
            port: try LoopbackPort.free(preferring: 13_443),
            introspectionPort: try LoopbackPort.free(preferring: 13_080),
            organization: Self.organization
        )
        let introspection = self.microsoft.introspectionPort
        func mailbox(_ user: String) -> DovecotServer.Mailbox {
            DovecotServer.Mailbox(user: user, password: Self.upstreamPassword(of: user))
        }
        self.first = DovecotServer(
            folder: folder.appendingPathComponent("server-1"),
            port: try LoopbackPort.free(preferring: 11_993),
            traits: DovecotServer.Traits(
                introspectionPort: introspection,
                lmtpPort: try LoopbackPort.free(preferring: 11_024)
            ),
            mailboxes: [Self.anna, Self.clara, Self.info].map(mailbox)
        )
        self.second = DovecotServer(
            folder: folder.appendingPathComponent("server-2"),
            port: try LoopbackPort.free(preferring: 12_993),
            traits: DovecotServer.Traits(
                separator: ".",
                lmtpPort: try LoopbackPort.free(preferring: 12_024)
            ),
            mailboxes: [mailbox(Self.bob)]
        )
        let lmtpPorts = (first: self.first.lmtpPort, second: self.second.lmtpPort)
        self.mta = EximServer(
            folder: folder.appendingPathComponent("server-3"),
            implicitPort: try LoopbackPort.free(preferring: 11_465),
            startTLSPort: try LoopbackPort.free(preferring: 11_587),
            introspectionPort: introspection,
            mailboxes: (Self.people + [Self.info, Self.vertrieb]).map { user in
                let port = user == Self.bob ? lmtpPorts.second : lmtpPorts.first
                return (user, Self.upstreamPassword(of: user), port)
            }
        )
    }

    /// The organization at Exchange: Anna has full access to Vertrieb's mailbox and may send as
    /// Vertrieb through a group; Clara may read one folder.
    static let organization = ExchangeOrganization(
        mailboxes: [
            .init(
                address: vertrieb,
                name: "Vertrieb",
                type: "SharedMailbox",
                fullAccess: [.init(user: anna)],
                sendAs: [.init(user: "Vertriebsteam")],
                folders: [
                    .init(path: "Posteingang", type: "Inbox"),
                    .init(
                        path: "Angebote",
                        type: "User Created",
                        entries: [("Clara", ["Reviewer"])]
                    ),
                ]
            ),
            .init(address: anna, name: "Anna"), .init(address: bob, name: "Bob"),
            .init(address: clara, name: "Clara"),
        ],
        groups: [
            .init(name: "Vertriebsteam", address: "team@kanzlei.example", members: [anna])
        ]
    )

    /// The password at the mail server, which only the gateway uses.
    static func upstreamPassword(of user: String) -> String { "server-\(user)" }

    /// The password of a user at the gateway.
    static func password(of user: String) -> String {
        "demo-" + user.prefix { $0 != "@" }
    }

    // MARK: - Lifetime

    /// Creates the folder and writes the sample messages into the mail servers' Maildir folders.
    package func prepare() throws {
        // The folder must not exist: another user could have put files into it.
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755]
        )
        try self.deliverSamples()
    }

    /// Starts the servers, and fills the gateway's store with users, accounts and grants.
    ///
    /// ``gateway`` must contain the files that `gatepost init` writes.
    package func start() throws {
        try self.microsoft.addApplication(to: self.gateway)
        let certificates = self.gateway.appendingPathComponent("certs")
        for server in [self.first, self.second] {
            try server.start(
                certificate: certificates.appendingPathComponent("server.pem"),
                key: certificates.appendingPathComponent("server.key")
            )
        }
        try self.microsoft.start(
            certificate: certificates.appendingPathComponent("server.pem"),
            key: certificates.appendingPathComponent("server.key")
        )
        try self.mta.start(
            certificate: certificates.appendingPathComponent("server.pem"),
            key: certificates.appendingPathComponent("server.key")
        )
        try self.fillStore(certificates.appendingPathComponent("ca.pem"))
    }

    /// Stops the servers and removes the folder.
    package func remove() {
        self.mta.stop()
        self.microsoft.stop()
        self.first.stop()
        self.second.stop()
        try? FileManager.default.removeItem(at: self.folder)
    }
}
