package import Foundation

/// The office of the demo: three people, a function mailbox, two mail servers, a server for
/// sending, and the grants between them.
package struct DemoOffice {
    static let anna = "anna@kanzlei.example"
    static let bob = "bob@kanzlei.example"
    static let clara = "clara@kanzlei.example"
    static let info = "info@kanzlei.example"
    /// An Exchange account, whose permissions come from a test server.
    static let vertrieb = "vertrieb@kanzlei.example"
    static let people = [anna, bob, clara]

    let folder: URL
    /// The folder of the gateway's files.
    package let gateway: URL
    // The ports of the gateway's listeners.
    package let imaps: Int
    package let imap: Int
    package let submissions: Int
    package let submission: Int
    let first: DovecotServer
    /// Its delimiter is `.`; what clients see is `/` all the same.
    let second: DovecotServer
    /// Delivers into both.
    let mta: EximServer
    let microsoft: MicrosoftTestServer

    /// Chooses the ports.
    /// - Parameter folder: made by ``prepare()``, and only for the demo.
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

    /// What Exchange has: Anna has all of Vertrieb's mailbox and may send as Vertrieb through a
    /// group, Clara may read one folder.
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

    /// Known to the gateway and to the mail server, and to nobody else.
    static func upstreamPassword(of user: String) -> String { "server-\(user)" }

    /// What a person logs in to the gateway with.
    static func password(of user: String) -> String {
        "demo-" + user.prefix { $0 != "@" }
    }

    // MARK: - Life

    /// Makes the folder, and puts the sample messages where the mail servers look for them.
    package func prepare() throws {
        // Made here and by nobody before, who could have put something into it.
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755]
        )
        try self.deliverSamples()
    }

    /// Starts the servers, and fills the gateway's store with people, accounts and grants.
    ///
    /// The folder ``gateway`` has the files of a new gateway by now, which `gatepost init` makes.
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

    /// Stops the servers, and removes what they left.
    package func remove() {
        self.mta.stop()
        self.microsoft.stop()
        self.first.stop()
        self.second.stop()
        try? FileManager.default.removeItem(at: self.folder)
    }
}
