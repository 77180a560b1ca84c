import Foundation
import Store

/// The files of a new gateway: configuration, empty store, master key, development certificates.
struct ConfigurationTemplate {
    /// The folder that contains them.
    private let folder: URL
    /// The address of all listeners: a host name, an IPv4 address, or an IPv6 address without
    /// brackets.
    private let host: String
    /// The port of IMAP with implicit TLS (RFC 8314 §3.2); 0 omits the listener.
    var imaps = 993
    /// The port of IMAP with STARTTLS (RFC 9051 §6.2.1); 0 omits the listener.
    var imap = 143
    /// The port of submission with implicit TLS (RFC 8314 §3.3); 0 omits the listener.
    var submissions = 465
    /// The port of submission with STARTTLS (RFC 6409, RFC 3207); 0 omits the listener.
    var submission = 587
    /// Who checks passwords.
    var source = SourceSettings.gateway

    init(folder: String, host: String) {
        self.folder = URL(fileURLWithPath: folder)
        self.host = host
    }

    /// The path of the configuration.
    var file: String { self.folder.appendingPathComponent("gatepost.yaml").path }

    /// Creates the folder with mode 0700, and writes the files.
    ///
    /// The configuration is the last file: without it an interrupted `init` leaves no gateway.
    /// - Throws: ``Failure`` if one of the files exists, or an error of the file system.
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
        // A seal from the start: replacing the whole log is detected.
        try PermissionStore(path: self.folder.appendingPathComponent("gatepost.sqlite").path)
            .sealAudit(masterKey, begins: true)
        try Data(self.configuration.utf8).write(to: URL(fileURLWithPath: self.file))
    }

    /// The YAML line of a listener, or a comment for one that is omitted.
    private func listener(_ name: String, port: Int) -> String {
        let address = self.host.contains(":") ? "[\(self.host)]" : self.host
        return port == 0 ? "  # \(name): omitted" : "  \(name): \"\(address):\(port)\""
    }

    /// The YAML text, with each key's meaning, unit and default.
    private var configuration: String {
        """
        # Configuration of Gatepost. Paths are relative to this file's folder. An environment
        # variable overrides each value: GATEPOST_LOG_LEVEL=debug overrides log.level.

        listen:
          # IMAP with implicit TLS, and IMAP with STARTTLS.
        \(self.listener("imaps", port: self.imaps))
        \(self.listener("imap", port: self.imap))
          # Submission with implicit TLS, and submission with STARTTLS.
        \(self.listener("submissions", port: self.submissions))
        \(self.listener("submission", port: self.submission))

        tls:
          # Clients that send no server name (SNI) get the first one. Keys in the same order.
          certificates: ["certs/server.pem"]
          keys: ["certs/server.key"]

        # A gateway that root starts switches to this user once its ports are open. The user must
        # own the folder of the store.
        # user: gatepost

        store: gatepost.sqlite
        masterKey: master.key

        log:
          # trace, debug, info, notice, warning, error or critical
          level: info

        # How owners take part in grants on their mailboxes. required: a grant takes effect when the
        # owner has confirmed it. notify: the owner gets a message about it. off: neither.
        consent: "off"

        # If the audit log cannot be written: required refuses shared mailboxes, besteffort allows
        # them. auditDays is how long records are kept, in days; 0 keeps them for ever.
        audit: required
        auditDays: 0

        # on: a shared folder is subscribed until its user unsubscribes. Many mail programs show
        # subscribed folders only.
        subscribeShared: "on"

        \(self.source.yaml)

        # on: who logged in within a day needs no check of the password after a restart. Read about the
        # file that this writes first: gatepost.yaml(5).
        keepLogins: "off"

        # The gateway's application in Microsoft Entra, for Exchange Online.
        # exchange:
        #   tenant: 11111111-2222-3333-4444-555555555555
        #   application: 00000000-1111-2222-3333-444444444444
        #   secretFile: exchange.secret       # or certificate: and certificateKey:, PEM files
        #   cloud: worldwide                  # or gcc-high, dod, china

        # threads: 4                  # event loops; the default is one for each core
        # hostName: mail.example      # name in EHLO to submission servers; default: this machine's

        limits:
          connectionsPerAddress: 200
          connectionsPerUser: 50
          loginSeconds: 30            # from the start of a connection to its login
          idleMinutes: 31             # silence of a client; IMAP requires at least 30
          upstreamSeconds: 15         # connecting and logging in to a mail server
          drainSeconds: 20            # for messages in transit when the gateway stops
          settleSeconds: 30           # for a server to store a message after its connection broke
          messageMebibytes: 100       # the largest message that a client may send
          messageSeconds: 600         # for sending a message, plus 1 for each 1,000 octets
          recipientsPerMessage: 100
          messagesPerHour: 200        # of one user, over all connections
          recipientsPerHour: 1000     # of one user, over all connections

        """
    }
}
