import Foundation
import Store

/// The files of a new gateway: configuration, empty store, master key, development certificates.
struct ConfigurationTemplate {
    private let folder: URL
    private let host: String
    var imaps = 993
    var imap = 143
    var submissions = 465
    var submission = 587

    init(folder: String, host: String) {
        self.folder = URL(fileURLWithPath: folder)
        self.host = host
    }

    /// The configuration's path.
    var file: String { self.folder.appendingPathComponent("gatepost.yaml").path }

    /// Writes them into a folder that has none of them yet.
    func write() throws {
        for name in ["gatepost.yaml", "gatepost.sqlite", "master.key", "certs"] {
            let path = self.folder.appendingPathComponent(name).path
            guard !FileManager.default.fileExists(atPath: path) else {
                throw Failure("\(path) exists: init never overwrites; choose another folder")
            }
        }
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        try DevelopmentCertificates(host: self.host)
            .write(to: self.folder.appendingPathComponent("certs"))
        let masterKey = MasterKey()
        try masterKey.write(to: self.folder.appendingPathComponent("master.key").path)
        // From the beginning a log that is replaced shows.
        try PermissionStore(path: self.folder.appendingPathComponent("gatepost.sqlite").path)
            .sealAudit(masterKey, begins: true)
        try Data(self.configuration.utf8).write(to: URL(fileURLWithPath: self.file))
    }

    private func listener(_ name: String, port: Int) -> String {
        let address = self.host.contains(":") ? "[\(self.host)]" : self.host
        return port == 0 ? "  # \(name): left out" : "  \(name): \"\(address):\(port)\""
    }

    private var configuration: String {
        """
        # Configuration of Gatepost. Paths are relative to this file's folder. Each value can be
        # given in the environment instead: GATEPOST_LOG_LEVEL=debug goes before log.level here.

        listen:
          # IMAP with TLS from the first octet, and IMAP with STARTTLS.
        \(self.listener("imaps", port: self.imaps))
        \(self.listener("imap", port: self.imap))
          # Submission with TLS from the first octet, and submission with STARTTLS.
        \(self.listener("submissions", port: self.submissions))
        \(self.listener("submission", port: self.submission))

        tls:
          # The first certificate is shown to clients that name no host. Keys in the same order.
          certificates: ["certs/server.pem"]
          keys: ["certs/server.key"]

        # Whom a gateway that was started by root becomes once its ports are open. The folder of this
        # file has to belong to that user.
        # user: gatepost

        store: gatepost.sqlite
        masterKey: master.key

        log:
          # trace, debug, info, notice, warning, error or critical
          level: info

        # Whether an owner has a say in what is granted on the owner's mailbox: with required a grant
        # counts when the owner has confirmed it, with notify the owner finds a message about it.
        consent: "off"

        # When the audit log cannot be written, shared mailboxes are refused (required), or access
        # goes on (besteffort). Records are kept for so many days; 0 keeps them for good.
        audit: required
        auditDays: 0

        # Whether a folder that is shared with a user counts as subscribed until the user unsubscribes:
        # many mail programs show subscribed folders only.
        subscribeShared: "on"

        # The gateway's application in Microsoft Entra, for Exchange Online.
        # exchange:
        #   tenant: 11111111-2222-3333-4444-555555555555
        #   application: 00000000-1111-2222-3333-444444444444
        #   secretFile: exchange.secret       # or certificate: and certificateKey:, PEM files
        #   cloud: worldwide                  # or gcc-high, dod, china

        # threads: 4                  # event loops; one for each core by default
        # hostName: mail.example      # what servers for sending are told; the machine's by default

        limits:
          connectionsPerAddress: 200
          connectionsPerUser: 50
          loginSeconds: 30            # from the connection's start to its login
          idleMinutes: 31             # silence of a client; IMAP asks for 30 at least
          upstreamSeconds: 15         # connecting to a mail server and logging in there
          drainSeconds: 20            # for messages that are being sent, when the gateway stops
          settleSeconds: 30           # for a server to store what it got, if its connection is lost
          messageMebibytes: 100       # the largest message that is taken for sending
          messageSeconds: 600         # for sending one, and a second more for each 1,000 octets
          recipientsPerMessage: 100
          messagesPerHour: 200        # of one user, over all connections
          recipientsPerHour: 1000

        """
    }
}
