import Demo
import Foundation

@testable import gatepost

/// A fresh machine for the documentation's commands: a folder that stands for `/etc`, an installed
/// `gatepost`, and the mail servers of the office that the documentation invents.
///
/// The commands run as they are written, except for these substitutions:
///
/// | in the documentation | in the test |
/// |---|---|
/// | `/etc/…` | the same path below the installation's folder |
/// | `--imap mail.kanzlei.example`, `--smtp mail.kanzlei.example` | `localhost` and a port of Dovecot, of Exim |
/// | `--kind exchange` | the same, with these servers instead of Exchange Online's |
/// | `imaps://localhost/` | the same with the gateway's port |
/// | `curl --user LOGIN`, which asks for the password | `--user LOGIN:PASSWORD` |
/// | `gatepost init` | the same with four free ports |
/// | a prompt for a password | the answer on standard input, with `--password-stdin` |
/// | `gatepost serve` | the same in the background, until its port accepts connections |
///
/// A block of YAML replaces the keys of the same name in `gatepost.yaml`.
final class DocumentedInstallation {
    /// `gatepost service` refuses programs and stores in `/tmp`, which a service does not see.
    let folder: URL
    private(set) var environment = ProcessInfo.processInfo.environment
    private let dovecot: DovecotServer
    private let exim: EximServer
    private let microsoft: MicrosoftTestServer
    /// Where the next block begins.
    private var workingFolder: String

    static let people = ["anna@kanzlei.example", "bob@kanzlei.example"]
    static let sales = "sales@kanzlei.example"

    /// Starts the mail servers. The authority that the documentation calls private issues their certificate.
    init() throws {
        self.folder = URL(fileURLWithPath: "/var/tmp/gatepost-\(UUID().uuidString)")
        self.workingFolder = self.folder.path
        for name in ["etc/ssl", "etc/systemd/system", "bin", "home"] {
            try FileManager.default.createDirectory(
                at: self.folder.appendingPathComponent(name),
                withIntermediateDirectories: true
            )
        }
        let certificates = self.folder.appendingPathComponent("upstream-certificates")
        try DevelopmentCertificates(host: "localhost").write(to: certificates)
        try FileManager.default.copyItem(
            at: certificates.appendingPathComponent("ca.pem"),
            to: self.folder.appendingPathComponent("etc/ssl/kanzlei-ca.pem")
        )
        self.microsoft = MicrosoftTestServer(
            port: try LoopbackPort.free(preferring: 0),
            introspectionPort: try LoopbackPort.free(preferring: 0),
            organization: Self.organization
        )
        (self.dovecot, self.exim) = try Self.servers(
            self.folder,
            introspectionPort: self.microsoft.introspectionPort
        )
        try self.startServers(certificates)
        try self.install()
    }

    deinit {
        let file = self.folder.appendingPathComponent("gatepost.pid")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        if let gateway = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) {
            kill(gateway, SIGKILL)
        }
        self.exim.stop()
        self.dovecot.stop()
        self.microsoft.stop()
        try? FileManager.default.removeItem(at: self.folder)
    }

    // MARK: - The office

    /// In Exchange, Anna has the mailbox of Sales and may send as it.
    private static let organization = ExchangeOrganization(
        mailboxes: [
            .init(
                address: sales,
                name: "Sales",
                type: "SharedMailbox",
                fullAccess: [.init(user: people[0])],
                sendAs: [.init(user: people[0])],
                folders: [.init(path: "Posteingang", type: "Inbox")]
            ),
            .init(address: people[0], name: "Anna"),
        ],
        groups: []
    )

    private static func servers(
        _ folder: URL,
        introspectionPort: Int
    ) throws -> (DovecotServer, EximServer) {
        let lmtpPort = try LoopbackPort.free(preferring: 0)
        let dovecot = DovecotServer(
            folder: folder.appendingPathComponent("dovecot"),
            port: try LoopbackPort.free(preferring: 0),
            traits: DovecotServer.Traits(introspectionPort: introspectionPort, lmtpPort: lmtpPort),
            mailboxes: self.people.map { DovecotServer.Mailbox(user: $0, password: "server-\($0)") }
        )
        let exim = EximServer(
            folder: folder.appendingPathComponent("exim"),
            implicitPort: try LoopbackPort.free(preferring: 0),
            startTLSPort: try LoopbackPort.free(preferring: 0),
            introspectionPort: introspectionPort,
            mailboxes: (self.people + [self.sales]).map { ($0, "server-\($0)", lmtpPort) }
        )
        return (dovecot, exim)
    }

    private func startServers(_ certificates: URL) throws {
        let samples: [(String, String?)] = [
            (Self.people[0], nil), (Self.people[1], nil), (Self.people[1], "Akten"),
            (Self.people[1], "Akten/Meyer"), (Self.people[1], "Privat"), (Self.sales, nil),
        ]
        for (user, folder) in samples {
            let subject = "Subject: \(folder ?? "INBOX")\n"
            try self.dovecot.deliver("\(subject)\nText.\n", to: user, folder: folder, isSeen: false)
        }
        try self.dovecot.handOver()
        let certificate = certificates.appendingPathComponent("server.pem")
        let key = certificates.appendingPathComponent("server.key")
        try self.dovecot.start(certificate: certificate, key: key)
        try self.exim.start(certificate: certificate, key: key)
        try self.microsoft.start(certificate: certificate, key: key)
    }

    // MARK: - The program

    /// Puts the program behind a script with its name, which substitutes what the terminal would do.
    private func install() throws {
        let program = self.folder.appendingPathComponent("bin/gatepost.installed")
        try FileManager.default.copyItem(at: Office.executable, to: program)
        let script = self.folder.appendingPathComponent("bin/gatepost")
        try Data(Self.script.utf8).write(to: script)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script.path)
        self.environment["INSTALLATION"] = self.folder.path
        self.environment["HOME"] = self.folder.appendingPathComponent("home").path
        self.environment["PATH"] =
            self.folder.appendingPathComponent("bin").path + ":"
            + (self.environment["PATH"] ?? "/usr/bin:/bin")
        for name in ["IMAPS", "IMAP", "SUBMISSIONS", "SUBMISSION"] {
            self.environment[name] = "\(try LoopbackPort.free(preferring: 0))"
        }
    }

    private static let script = """
        #!/bin/bash
        program=$INSTALLATION/bin/gatepost.installed
        last_after() { while [ $# -gt 1 ]; do [ "$1" = --as ] && echo "$2"; shift; done; }
        case "$1 $2 $*" in
        'init '*)
            exec "$program" "$@" --imaps "$IMAPS" --imap "$IMAP" \\
                --submissions "$SUBMISSIONS" --submission "$SUBMISSION" ;;
        'serve '*)
            (
                # Whoever waits for this script waits until nobody holds its descriptors.
                for descriptor in $(ls "/proc/$BASHPID/fd"); do
                    [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
                done
                exec "$program" "$@" >"$INSTALLATION/serve.log" 2>&1 </dev/null
            ) &
            echo $! >"$INSTALLATION/gatepost.pid"
            for _ in $(seq 200); do
                (exec 3<>"/dev/tcp/127.0.0.1/$IMAPS") 2>/dev/null && exit 0
                sleep 0.05
            done
            cat "$INSTALLATION/serve.log"; exit 1 ;;
        'user password '*) exec "$program" "$@" --password-stdin <<<"gateway-$3" ;;
        'consent '*) exec "$program" "$@" --password-stdin <<<"gateway-$(last_after "$@")" ;;
        esac
        exec "$program" "$@"

        """

    private func substituted(_ text: String) -> String {
        let servers: [(option: String, port: Int)] = [
            ("--imap", self.dovecot.port), ("--smtp", self.exim.implicitPort),
        ]
        var text = text.replacingOccurrences(
            of: "--smtp mail.kanzlei.example:587",
            with: "--smtp localhost:\(self.exim.startTLSPort)"
        )
        for (option, port) in servers {
            text = text.replacingOccurrences(
                of: "\(option) mail.kanzlei.example",
                with: "\(option) localhost:\(port)"
            )
        }
        let options = servers.map { "\($0.option) localhost:\($0.port)" }.joined(separator: " ")
        let substitutions =
            [
                ("--kind exchange", "--kind exchange \(options) --ca /etc/ssl/kanzlei-ca.pem"),
                ("imaps://localhost/", "imaps://localhost:\(self.environment["IMAPS"] ?? "")/"),
                ("/etc/", "\(self.folder.path)/etc/"),
            ] + Self.people.map { ("--user \($0) ", "--user \($0):server-\($0) ") }
        return substitutions.reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
    }

    // MARK: - Running

    /// Runs a block of commands; each must succeed.
    @discardableResult
    func run(_ text: String) throws -> String {
        let place = self.folder.appendingPathComponent("working-folder")
        let commands = """
            set -euo pipefail
            cd '\(self.workingFolder)'
            \(self.substituted(text))
            pwd >'\(place.path)'
            """
        let run = try Tool.run("/bin/bash", ["-c", commands], self.environment)
        guard run.status == 0 else { throw Failure("\(text)\n\(run.output)") }
        self.workingFolder = try String(contentsOf: place, encoding: .utf8)
            .trimmingCharacters(in: .newlines)
        return run.output
    }

    /// Runs the README's "First steps".
    @discardableResult
    func takeFirstSteps() throws -> [String] {
        try DocumentedBlock.all(in: "README").filter { $0.language == "sh" }.map {
            try self.run($0.text)
        }
    }

    /// Puts the keys of a block into `gatepost.yaml`.
    func configure(_ yaml: String) throws {
        let file = self.folder.appendingPathComponent("etc/gatepost/gatepost.yaml")
        let keys = yaml.split(separator: "\n").compactMap {
            $0.firstIndex(of: ":").map($0.prefix(upTo:))
        }
        let kept = try String(contentsOf: file, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .filter { line in !keys.contains { line.hasPrefix("\($0):") } }
        try Data("\(kept.joined(separator: "\n"))\n\(yaml)\n".utf8).write(to: file)
    }

    /// Names the application that stands for the one in Microsoft Entra, and starts the gateway anew.
    func registerApplication() throws {
        let gateway = self.folder.appendingPathComponent("etc/gatepost")
        try self.microsoft.addApplication(to: gateway)
        let file = gateway.appendingPathComponent("gatepost.yaml")
        let text = try String(contentsOf: file, encoding: .utf8).replacingOccurrences(
            of: "caFile: certs/ca.pem",
            with: "caFile: \(self.folder.path)/etc/ssl/kanzlei-ca.pem"
        )
        try Data(text.utf8).write(to: file)
        try self.run(
            """
            gateway=$(cat "$INSTALLATION/gatepost.pid")
            kill "$gateway"
            while kill -0 "$gateway" 2>/dev/null; do sleep 0.05; done
            gatepost serve
            """
        )
    }

    /// Writes what the PowerShell script of `permissions export-script` would write.
    func exportPermissions() throws {
        let rows = """
            [{"Identity":"\(Self.sales)","User":"\(Self.people[0])","AccessRights":["FullAccess"],
              "Deny":false,"IsInherited":false}]
            """
        let file = URL(fileURLWithPath: self.workingFolder).appendingPathComponent("export.json")
        try Data(rows.utf8).write(to: file)
    }
}
