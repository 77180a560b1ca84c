import Foundation

/// A real Dovecot with a configuration of its own: on loopback, with TLS, with Maildir folders
/// below one temporary folder.
final class DovecotServer {
    /// One mailbox on the server.
    struct Mailbox {
        var user: String
        var password: String
    }

    /// In what one server differs from another.
    struct Traits {
        /// The hierarchy delimiter that clients see.
        var separator: Character = "/"
        /// Whether TLS begins with STARTTLS instead of the first octet.
        var usesSTARTTLS = false
        /// The capabilities it shows, where they are fewer than it has.
        var capabilities: String?
        /// Mebibytes that each mailbox may hold.
        var quota: Int?
        /// Where it asks, on this machine, whether a token is good; nil for passwords only.
        var introspectionPort: Int?
        /// Where it takes mail by LMTP, if it does.
        var lmtpPort: Int?
    }

    static let executable = "/usr/sbin/dovecot"
    /// The part of it that takes mail by LMTP, in a package of its own.
    static let lmtp = "/usr/lib/dovecot/lmtp"
    private static let startTime: TimeInterval = 10
    private static let stopTime: TimeInterval = 3

    let port: Int
    private let folder: URL
    private let traits: Traits
    private let mailboxes: [Mailbox]
    private var process: Process?

    /// - Parameter folder: made here, and only for this server.
    init(folder: URL, port: Int, traits: Traits = Traits(), mailboxes: [Mailbox]) {
        self.folder = folder
        self.port = port
        self.traits = traits
        self.mailboxes = mailboxes
    }

    /// Starts the server and waits until it accepts connections.
    func start(certificate: URL, key: URL) throws {
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
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.executable)
        process.arguments = ["-F", "-c", configuration.path]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.runUnblocked()
        self.process = process
        let end = Date().addingTimeInterval(Self.startTime)
        while !LoopbackPort.accepts(self.port) {
            guard Date() < end, process.isRunning else {
                let log = self.folder.appendingPathComponent("log")
                let reason = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
                throw Failure("dovecot does not start: \(reason.suffix(400))")
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// Where it takes mail by LMTP; 0 where it does not.
    var lmtpPort: Int { self.traits.lmtpPort ?? 0 }

    var processIdentifier: pid_t { self.process?.processIdentifier ?? 0 }

    /// Stops the server, and waits until it is gone, for it writes to its folder until then.
    func stop() {
        guard let process = self.process else { return }
        kill(process.processIdentifier, SIGTERM)
        let end = Date().addingTimeInterval(Self.stopTime)
        while process.isRunning, Date() < end {
            Thread.sleep(forTimeInterval: 0.02)
        }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private var mailRoot: URL { self.folder.appendingPathComponent("mail") }

    /// Puts a message into a folder, below INBOX in the Maildir++ way.
    func deliver(_ message: String, to user: String, folder: String?, isSeen: Bool) throws {
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
    func handOver() throws {
        guard geteuid() == 0, let nobody = getpwnam("nobody") else { return }
        let owner = nobody.pointee
        guard let paths = FileManager.default.enumerator(atPath: self.mailRoot.path) else { return }
        chown(self.mailRoot.path, owner.pw_uid, owner.pw_gid)
        for case let path as String in paths {
            chown(self.mailRoot.appendingPathComponent(path).path, owner.pw_uid, owner.pw_gid)
        }
    }

    // MARK: - Configuration

    private func configuration(_ certificate: URL, key: URL) -> String {
        let isRoot = geteuid() == 0
        let user = isRoot ? "nobody" : NSUserName()
        let own = """
            default_internal_user = \(user)
            default_login_user = \(user)
            default_internal_group = \(Self.groupName)
            service anvil {
              chroot =
            }
            service imap-login {
              chroot =
            }
            service stats {
              chroot =
            }

            """
        return """
            \(isRoot ? "" : own)
            base_dir = \(self.folder.path)/run
            state_dir = \(self.folder.path)/state
            log_path = \(self.folder.path)/log
            protocols = imap\(self.traits.lmtpPort == nil ? "" : " lmtp")
            listen = 127.0.0.1
            ssl = required
            ssl_cert = <\(certificate.path)
            ssl_key = <\(key.path)
            mail_location = maildir:\(self.mailRoot.path)/%u
            mail_uid = \(isRoot ? "nobody" : "\(getuid())")
            mail_gid = \(isRoot ? "nogroup" : "\(getgid())")
            first_valid_uid = 1
            mail_max_userip_connections = 1000
            service imap-login {
              inet_listener imap {
                port = \(self.traits.usesSTARTTLS ? self.port : 0)
              }
              inet_listener imaps {
                port = \(self.traits.usesSTARTTLS ? 0 : self.port)
                ssl = yes
              }
            }
            \(self.extras)
            passdb {
              driver = passwd-file
              args = \(self.folder.path)/users
            }
            userdb {
              driver = static
              args = uid=\(isRoot ? "nobody" : "\(getuid())") gid=\(isRoot ? "nogroup" : "\(getgid())") home=\(self.mailRoot.path)/%u
            }
            namespace inbox {
              inbox = yes
              separator = \(self.traits.separator)
              mailbox Sent {
                auto = create
                special_use = \\Sent
              }
            }

            """
    }

    private var tokenConfiguration: URL { self.folder.appendingPathComponent("tokens.conf") }

    /// A token is good for every mailbox, as an application's is: whoever logs in with it is
    /// compared as one and the same name.
    private static func tokens(_ port: Int) -> String {
        """
        introspection_mode = post
        introspection_url = http://127.0.0.1:\(port)/introspect
        active_attribute = active
        active_value = true
        username_attribute = username
        username_format = application

        """
    }

    private var extras: String {
        var lines: [String] = []
        if self.traits.introspectionPort != nil {
            lines.append(
                """
                auth_mechanisms = plain xoauth2
                passdb {
                  driver = oauth2
                  mechanisms = xoauth2
                  args = \(self.tokenConfiguration.path)
                }
                """
            )
        }
        if let port = self.traits.lmtpPort {
            lines.append(
                """
                service lmtp {
                  inet_listener lmtp {
                    address = 127.0.0.1
                    port = \(port)
                  }
                }
                postmaster_address = postmaster@kanzlei.example
                """
            )
        }
        if let capabilities = self.traits.capabilities {
            lines.append("imap_capability = \(capabilities)")
        }
        if let quota = self.traits.quota {
            lines.append(
                """
                mail_plugins = quota
                protocol imap {
                  mail_plugins = quota imap_quota
                }
                plugin {
                  quota = maildir:Postfach
                  quota_rule = *:storage=\(quota)M
                }
                """
            )
        }
        return lines.joined(separator: "\n")
    }

    private static var groupName: String {
        getgrgid(getgid()).map { String(cString: $0.pointee.gr_name) } ?? "nogroup"
    }
}
