package import Foundation

/// A real Exim with its own configuration: on 127.0.0.1, with TLS, delivering by LMTP to Dovecot.
///
/// Each login may send only from its own address, as at mail providers. A message that arrives was
/// therefore sent with its sender's own credential.
package final class EximServer {
    /// The path in Debian's package.
    package static let executable = "/usr/sbin/exim4"

    /// The port of submission with implicit TLS.
    package let implicitPort: Int
    /// The port of submission with STARTTLS.
    package let startTLSPort: Int
    private let folder: URL
    private let mailboxes: [(user: String, password: String, lmtpPort: Int)]
    /// The local port of the token introspection; nil for passwords only.
    private let introspectionPort: Int?
    private let process = ServerProcess("exim")

    /// - Parameters:
    ///   - folder: a folder that the server creates for itself.
    ///   - mailboxes: the logins, each with the LMTP port for its mail.
    package init(
        folder: URL,
        implicitPort: Int,
        startTLSPort: Int,
        introspectionPort: Int? = nil,
        mailboxes: [(user: String, password: String, lmtpPort: Int)]
    ) {
        self.folder = folder
        self.implicitPort = implicitPort
        self.startTLSPort = startTLSPort
        self.introspectionPort = introspectionPort
        self.mailboxes = mailboxes
    }

    /// The process number; 0 before the start.
    package var processIdentifier: pid_t { self.process.identifier }

    /// Starts the server and waits until it accepts connections.
    /// - Throws: ``DemoError`` with the end of the log if it does not start.
    package func start(certificate: URL, key: URL) throws {
        let files = FileManager.default
        for name in ["spool", "log"] {
            try files.createDirectory(
                at: self.folder.appendingPathComponent(name),
                withIntermediateDirectories: true
            )
        }
        // Exim's user reads these files and has no access to the gateway's folder.
        for (file, name) in [(certificate, "certificate.pem"), (key, "key.pem")] {
            try Data(contentsOf: file).write(to: self.folder.appendingPathComponent(name))
        }
        try self.write("users", lines: self.mailboxes.map { "\($0.user): \($0.password)" })
        try self.write("ports", lines: self.mailboxes.map { "\($0.user): \($0.lmtpPort)" })
        let configuration = self.folder.appendingPathComponent("exim.conf")
        try Data(self.configuration.utf8).write(to: configuration)
        try self.handOver()
        try self.process.start(
            Self.executable,
            arguments: ["-C", configuration.path, "-bdf"],
            port: self.implicitPort,
            log: self.folder.appendingPathComponent("log/paniclog")
        )
    }

    /// Stops the server and waits for its end: it writes into its folder until then.
    package func stop() {
        self.process.stop()
    }

    private func write(_ name: String, lines: [String]) throws {
        try Data((lines.joined(separator: "\n") + "\n").utf8)
            .write(to: self.folder.appendingPathComponent(name))
    }

    /// Gives the server's files and its key to the user that it runs as.
    private func handOver() throws {
        guard geteuid() == 0, let nobody = getpwnam("nobody") else { return }
        let owner = nobody.pointee
        for name in ["", "spool", "log", "certificate.pem", "key.pem", "users", "ports"] {
            chown(self.folder.appendingPathComponent(name).path, owner.pw_uid, owner.pw_gid)
        }
    }

    // MARK: - Configuration

    private var configuration: String {
        let isRoot = geteuid() == 0
        let folder = self.folder.path
        return """
            exim_user = \(isRoot ? "nobody" : "\(getuid())")
            exim_group = \(isRoot ? "nogroup" : "\(getgid())")
            primary_hostname = mail.kanzlei.example
            spool_directory = \(folder)/spool
            log_file_path = \(folder)/log/%slog
            pid_file_path = \(folder)/exim.pid
            local_interfaces = 127.0.0.1
            daemon_smtp_ports = \(self.implicitPort) : \(self.startTLSPort)
            tls_on_connect_ports = \(self.implicitPort)
            tls_advertise_hosts = *
            tls_certificate = \(folder)/certificate.pem
            tls_privatekey = \(folder)/key.pem
            auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
            pipelining_advertise_hosts = *
            smtputf8_advertise_hosts = *
            dsn_advertise_hosts = *
            message_size_limit = 200M
            host_lookup =
            rfc1413_query_timeout = 0s
            keep_environment =
            deliver_drop_privilege = true
            acl_smtp_mail = mail
            acl_smtp_rcpt = rcpt
            acl_smtp_data = data

            begin acl
            mail:
              deny message = Log in first
                !authenticated = *
              accept senders = :
              deny message = $authenticated_id may not send as $sender_address
                !condition = ${if eqi{$sender_address}{$authenticated_id}}
              accept
            rcpt:
              deny message = 5.1.1 No such user here
                !condition = ${lookup{$local_part@$domain}lsearch{\(folder)/ports}{yes}{no}}
              accept
            data:
              accept

            begin routers
            mailbox:
              driver = manualroute
              route_list = * 127.0.0.1
              transport = lmtp
              self = send

            begin transports
            lmtp:
              driver = smtp
              protocol = lmtp
              port = ${lookup{$local_part@$domain}lsearch{\(folder)/ports}}
              max_rcpt = 1
              hosts_try_fastopen =

            begin retry
            * * F,1h,1m

            begin authenticators
            plain:
              driver = plaintext
              public_name = PLAIN
              server_prompts = :
              server_condition = ${if eq{$auth3}{${lookup{$auth2}lsearch{\(folder)/users}}}}
              server_set_id = $auth2
            \(self.introspectionPort.map(Self.tokens) ?? "")
            """
    }

    /// The XOAUTH2 authenticator. Each token opens every mailbox, as those of an application do.
    private static func tokens(_ port: Int) -> String {
        let message = #"\N^user=([^\x01]+)\x01auth=Bearer ([^\x01]+)\x01\x01$\N"#
        let question = #"GET /introspect?token=$2 HTTP/1.0\r\nHost: localhost\r\n\r\n"#
        return """
            xoauth2:
              driver = plaintext
              public_name = XOAUTH2
              server_prompts = :
              server_condition = ${if match{$auth1}{\(message)}\
                {${if match{${readsocket{inet:127.0.0.1:\(port)}{\(question)}{5s}}}\
                {"active":true}{yes}{no}}}{no}}
              server_set_id = ${if match{$auth1}{\(message)}{$1}}

            """
    }
}
