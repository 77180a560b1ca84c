package import Foundation

/// A real Dovecot with a configuration of its own: on loopback, with TLS, with Maildir folders
/// below one temporary folder.
package final class DovecotServer {
    /// One mailbox on the server.
    package struct Mailbox {
        package var user: String
        package var password: String

        package init(user: String, password: String) {
            self.user = user
            self.password = password
        }
    }

    /// In what one server differs from another.
    package struct Traits {
        /// The hierarchy delimiter that clients see.
        var separator: Character
        /// Whether TLS begins with STARTTLS instead of the first octet.
        var usesSTARTTLS: Bool
        /// The capabilities it shows, where they are fewer than it has.
        var capabilities: String?
        /// Mebibytes that each mailbox may hold.
        var quota: Int?
        /// Where it asks, on this machine, whether a token is good; nil for passwords only.
        var introspectionPort: Int?
        /// Where it takes mail by LMTP, if it does.
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

    /// Where the package of the distribution puts it.
    package static let executable = "/usr/sbin/dovecot"
    /// The part of it that takes mail by LMTP, in a package of its own.
    package static let lmtp = "/usr/lib/dovecot/lmtp"

    /// Of IMAP.
    package let port: Int
    let folder: URL
    let traits: Traits
    private let mailboxes: [Mailbox]
    private let process = ServerProcess("dovecot")

    /// - Parameter folder: made here, and only for this server.
    package init(folder: URL, port: Int, traits: Traits = Traits(), mailboxes: [Mailbox]) {
        self.folder = folder
        self.port = port
        self.traits = traits
        self.mailboxes = mailboxes
    }

    /// Starts the server and waits until it accepts connections.
    /// - Throws: ``DemoError`` with what its log says, where it does not start.
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

    /// Where it takes mail by LMTP; 0 where it does not.
    package var lmtpPort: Int { self.traits.lmtpPort ?? 0 }

    /// 0 before it was started.
    package var processIdentifier: pid_t { self.process.identifier }

    /// Stops the server, and waits until it is gone, for it writes to its folder until then.
    package func stop() {
        self.process.stop()
    }

    var mailRoot: URL { self.folder.appendingPathComponent("mail") }

    /// Puts a message into a folder, below INBOX in the Maildir++ way.
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

    /// Gives the mail to the user that Dovecot reads it as, where the server runs as root.
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
