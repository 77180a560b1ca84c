import Access
import Foundation
import Store

/// The office of the demo: three people, a function mailbox, two mail servers, a server for
/// sending, and the grants between them.
struct DemoOffice {
    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"
    private static let clara = "clara@kanzlei.example"
    private static let info = "info@kanzlei.example"
    /// An Exchange account, whose permissions come from a test server.
    private static let vertrieb = "vertrieb@kanzlei.example"
    private static let people = [anna, bob, clara]

    private let folder: URL
    private let gateway: URL
    private let imaps: Int
    private let imap: Int
    private let submissions: Int
    private let submission: Int
    private let first: DovecotServer
    /// Its delimiter is `.`; what clients see is `/` all the same.
    private let second: DovecotServer
    /// Delivers into both.
    private let mta: EximServer
    private let microsoft: MicrosoftTestServer

    init(folder: URL) throws {
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
    private static let organization = ExchangeOrganization(
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
    private static func upstreamPassword(of user: String) -> String { "server-\(user)" }

    /// What a person logs in to the gateway with.
    private static func password(of user: String) -> String {
        "demo-" + user.prefix { $0 != "@" }
    }

    // MARK: - Life

    func start() throws {
        // Made here and by nobody before, who could have put something into it.
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755]
        )
        try self.deliverSamples()
        var installation = Installation(folder: self.gateway.path, host: "127.0.0.1")
        installation.imaps = self.imaps
        installation.imap = self.imap
        installation.submissions = self.submissions
        installation.submission = self.submission
        try installation.write()
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

    func remove() {
        self.mta.stop()
        self.microsoft.stop()
        self.first.stop()
        self.second.stop()
        try? FileManager.default.removeItem(at: self.folder)
    }

    private func fillStore(_ authority: URL) throws {
        let store = try PermissionStore(
            path: self.gateway.appendingPathComponent("gatepost.sqlite").path
        )
        let masterKey = try MasterKey(file: self.gateway.appendingPathComponent("master.key").path)
        for user in Self.people {
            try store.addUser(
                user,
                name: nil,
                role: nil,
                password: Self.password(of: user),
                actor: "demo"
            )
        }
        for address in Self.people + [Self.info, Self.vertrieb] {
            var settings = AccountSettings()
            settings.kind = address == Self.vertrieb ? .exchange : .imap
            settings.owner = Self.people.contains(address) ? address : nil
            let port = address == Self.bob ? self.second.port : self.first.port
            settings.imap = Endpoint(host: "127.0.0.1", port: port, tls: .implicit)
            settings.smtp = Endpoint(
                host: "localhost",
                port: self.mta.implicitPort,
                tls: .implicit
            )
            settings.caFile = authority.path
            if address != Self.vertrieb {
                settings.password = StoredSecret(Self.upstreamPassword(of: address))
            }
            try store.addAccount(address, settings, masterKey: masterKey, actor: "demo")
        }
        try store.addGroup("Sekretariat", actor: "demo")
        try store.join([Self.anna], to: "Sekretariat", actor: "demo")
        try self.grant(store, Self.bob, Self.anna, .view, .onBehalf, .subtree("Akten"))
        try self.grant(store, Self.info, "group:Sekretariat", .edit, .as, .account)
    }

    private enum Reach {
        case account
        case subtree(String)
    }

    private func grant(
        _ store: PermissionStore,
        _ account: String,
        _ subject: String,
        _ rights: Rights,
        _ send: SendRight,
        _ reach: Reach
    ) throws {
        let scope: Scope =
            switch reach {
            case .account: .account
            case .subtree(let folder): .subtree(try PermissionStore.folder(folder))
            }
        try store.addGrant(
            GrantRequest(
                account: account,
                subject: subject,
                rights: rights,
                send: send,
                scope: scope
            ),
            actor: "demo"
        )
    }

    // MARK: - Samples

    private func deliverSamples() throws {
        try self.deliver(self.first, Self.anna, nil, "Willkommen", "Ihr Postfach ist eingerichtet.")
        try self.deliver(self.first, Self.anna, "Ablage", "Notiz", "Erledigt.")
        try self.deliver(self.first, Self.clara, nil, "Personalsache", "Nur für Clara.")
        try self.deliver(self.first, Self.info, nil, "Anfrage", "Haben Sie einen Termin frei?")
        try self.deliver(self.first, Self.vertrieb, nil, "Bestellung", "Zehn Ordner, bitte.")
        try self.deliver(self.first, Self.vertrieb, "Angebote", "Angebot", "Gilt bis 30.11.")
        try self.deliver(self.second, Self.bob, nil, "Rückruf", "Bitte um Rückruf bis 16 Uhr.")
        try self.deliver(
            self.second,
            Self.bob,
            "Akten",
            "Mandat Meyer",
            "Die Klage ist zugestellt."
        )
        try self.deliver(
            self.second,
            Self.bob,
            "Akten/&ANw-bersicht",
            "Fristen",
            "Berufung bis zum 30.11."
        )
        try self.deliver(self.second, Self.bob, "Privat", "Urlaub", "Zwei Wochen an der See.")
        try self.first.handOver()
        try self.second.handOver()
    }

    private func deliver(
        _ server: DovecotServer,
        _ user: String,
        _ folder: String?,
        _ subject: String,
        _ text: String
    ) throws {
        let message = """
            From: Gericht <post@gericht.example>
            To: \(user)
            Subject: =?UTF-8?B?\(Data(subject.utf8).base64EncodedString())?=
            Date: Mon, 02 Nov 2026 09:30:00 +0100
            Message-ID: <\(UUID().uuidString)@gericht.example>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8

            \(text)

            """
        try server.deliver(message, to: user, folder: folder, isSeen: false)
    }

    // MARK: - What to type next

    var introduction: String {
        let authority = self.gateway.appendingPathComponent("certs/ca.pem").path
        let configuration = self.gateway.appendingPathComponent("gatepost.yaml").path
        let curl = "curl --cacert \(authority) -u \(Self.anna):\(Self.password(of: Self.anna))"
        let bobsCurl = "curl --cacert \(authority) -u \(Self.bob):\(Self.password(of: Self.bob))"
        let program = Bundle.main.executablePath ?? "gatepost"
        let url = "imaps://localhost:\(self.imaps)"
        return """

            Gatepost stands in front of two mail servers and a server for sending. Anna may see
            Bob's Akten and write on his behalf, and work in info@ and write as info@; nobody may
            see Clara's mailbox or write for her. Ctrl-C ends it and leaves nothing behind.

            What Anna sees:
              \(curl) '\(url)/'

            Anna reads a message in Bob's folder:
              \(curl) '\(url)/Other%20Users%2Fbob%40kanzlei.example%2FAkten/;UID=1'

            Anna tries Clara's mailbox, and is told that there is none:
              \(curl) '\(url)/Other%20Users%2Fclara%40kanzlei.example%2FINBOX/;UID=1'

            Anna writes as info@ to Bob; nothing shows that it was her:
              \(self.sending(curl, as: Self.info))

            Anna writes on Bob's behalf; the gateway adds who it was:
              \(self.sending(curl, as: Self.bob))

            Anna tries to write as Clara, and is refused:
              \(self.sending(curl, as: Self.clara))

            What arrived first in Bob's INBOX (Bob's own login):
              \(bobsCurl) '\(url)/INBOX;MAILINDEX=2'

            Why (in another terminal):
              export GATEPOST_CONFIG=\(configuration)
              \(program) explain \(Self.anna) \(Self.clara)
              \(program) explain \(Self.anna) \(Self.bob) --folder Akten

            Change it while it runs, and ask again:
              \(program) grant add \(Self.clara) \(Self.anna) --view --folder INBOX
              \(program) grant add \(Self.clara) \(Self.anna) --send as

            An Exchange account, \(Self.vertrieb): its server is the first Dovecot, and Microsoft's side
            is played by a test server on this machine. Load who may see it, look, save, and ask:
              \(program) permissions load \(Self.vertrieb)
              \(program) permissions save
              \(curl) '\(url)/Shared%2Fvertrieb%40kanzlei.example%2FINBOX/;UID=1'
            Take it from Anna, whatever Exchange says, and give it back:
              \(program) grant remove \(Self.vertrieb) \(Self.anna)
              \(program) grant restore \(Self.vertrieb) \(Self.anna)

            A mail client: IMAP server localhost, port \(self.imaps), SSL/TLS (port \(self.imap) with STARTTLS),
            SMTP server localhost, port \(self.submissions), SSL/TLS (port \(self.submission) with STARTTLS);
            user name \(Self.anna), password \(Self.password(of: Self.anna)); trust \(authority).
            Bob's password is \(Self.password(of: Self.bob)), Clara's \(Self.password(of: Self.clara)).
            """
    }

    /// A line that sends a short message to Bob.
    private func sending(_ curl: String, as sender: String) -> String {
        let header = "From: \(sender)\\r\\nTo: \(Self.bob)\\r\\nSubject: Termin\\r\\n"
        return """
            printf '\(header)\\r\\nGern.\\r\\n' | \(curl) -T - --mail-from \(sender) \
            --mail-rcpt \(Self.bob) smtps://localhost:\(self.submissions)
            """
    }
}
