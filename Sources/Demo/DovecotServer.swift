package import Foundation

/// A real Dovecot with its own configuration: on 127.0.0.1, with TLS, with Maildir folders below
/// one temporary folder.
package final class DovecotServer {
    /// A mailbox on the server.
    package struct Mailbox {
        package var user: String
        package var password: String

        package init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    /// The differences between the servers of a demo or a test.
    package struct Traits {
        /// The hierarchy separator.
        var separator: Character
        /// Whether TLS starts with STARTTLS instead of implicit TLS.
        var usesSTARTTLS: Bool
        /// The capabilities to advertise, if they are fewer than Dovecot has.
        var capabilities: String?
        /// The quota of each mailbox, in mebibytes.
        var quota: Int?
        /// The local port of the token introspection; nil for passwords only.
        var introspectionPort: Int?
        /// The local port of LMTP; nil without LMTP.
        var lmtpPort: Int?

        package init(
            separator: Character = "/",
            usesSTARTTLS: Bool = false,
            capabilities: String? = nil,
            quota: Int? = nil,
            introspectionPort: Int? = nil,
            lmtpPort: Int? = nil
        ) {
            self.separator = separator
            self.usesSTARTTLS = usesSTARTTLS
            self.capabilities = capabilities
            self.quota = quota
            self.introspectionPort = introspectionPort
            self.lmtpPort = lmtpPort
        }
    }

    /// The path in Debian's package.
    package static let executable = "/usr/sbin/dovecot"
    /// The path of the LMTP service, which is in a package of its own.
    package static let lmtp = "/usr/lib/dovecot/lmtp"

    /// The port of IMAP.
    package let port: Int
    let folder: URL
    let traits: Traits
    private let mailboxes: [Mailbox]
    private let process = ServerProcess("dovecot")

    /// - Parameter folder: a folder that the server creates for itself.
    package init(folder: URL, port: Int, traits: Traits = Traits(), mailboxes: [Mailbox]) {
        self.folder = folder
        self.port = port
        self.traits = traits
        self.mailboxes = mailboxes
    }

    /// Starts the server and waits until it accepts connections.
    /// - Throws: ``DemoError`` with the end of the log if it does not start.
    package func start(certificate: URL, key: URL) throws {
        let files = FileManager.default
        try files.createDirectory(at: self.mailRoot, withIntermediateDirectories: true)
        let users = self.mailboxes.map { "\($0.user):{PLAIN}\($0.password)::::::" }
        try Data(users.joined(separator: "\n").utf8)
            .write(to: self.folder.appendingPathComponent("users"))
        if let port = self.traits.introspectionPort {
            try Data(Self.tokens(port).utf8).write(to: self.tokenConfiguration)
        }
        let configuration = self.folder.appendingPathComponent("dovecot.conf")
        try Data(self.configuration(certificate, key: key).utf8).write(to: configuration)
        try self.process.start(
            Self.executable,
            arguments: ["-F", "-c", configuration.path],
            port: self.port,
            log: self.folder.appendingPathComponent("log")
        )
    }

    /// The port of LMTP; 0 without LMTP.
    package var lmtpPort: Int { self.traits.lmtpPort ?? 0 }

    /// The process number; 0 before the start.
    package var processIdentifier: pid_t { self.process.identifier }

    /// Stops the server and waits for its end: it writes into its folder until then.
    package func stop() {
        self.process.stop()
    }

    var mailRoot: URL { self.folder.appendingPathComponent("mail") }

    /// Writes a message into a folder, as a Maildir++ folder below INBOX.
    package func deliver(_ message: String, to user: String, folder: String?, isSeen: Bool) throws {
        var maildir = self.mailRoot.appendingPathComponent(user)
        if let folder {
            let name = "." + folder.split(separator: "/").joined(separator: ".")
            maildir = maildir.appendingPathComponent(name)
        }
        for part in ["cur", "new", "tmp"] {
            try FileManager.default.createDirectory(
                at: maildir.appendingPathComponent(part),
                withIntermediateDirectories: true
            )
        }
        let name = "\(Int(Date().timeIntervalSince1970)).\(UUID().uuidString).demo"
        let file = maildir.appendingPathComponent(isSeen ? "cur/\(name):2,S" : "new/\(name)")
        try Data(message.replacingOccurrences(of: "\n", with: "\r\n").utf8).write(to: file)
    }

    /// Gives the mail to the user `nobody` if the server runs as root: Dovecot reads it as
    /// `nobody`.
    package func handOver() throws {
        guard geteuid() == 0, let nobody = getpwnam("nobody") else { return }
        let owner = nobody.pointee
        guard let paths = FileManager.default.enumerator(atPath: self.mailRoot.path) else { return }
        chown(self.mailRoot.path, owner.pw_uid, owner.pw_gid)
        for case let path as String in paths {
            chown(self.mailRoot.appendingPathComponent(path).path, owner.pw_uid, owner.pw_gid)
        }
    }
}
