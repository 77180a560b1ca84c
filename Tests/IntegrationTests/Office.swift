import Demo
import Foundation
import Synchronization

@testable import gatepost

/// The environment of the scenarios: three real Dovecot servers, a real Exim that delivers to
/// them, and the built gateway in front, filled through its own command line. It starts once
/// for all tests and is removed at the end.
@MainActor
final class Office {
    /// Two environments, so that tests of reading and of sending run at the same time.
    static let first = Result { try Office("first") }
    static let second = Result { try Office("second") }
    /// An environment whose servers may be stopped, with no other tests at the same time and
    /// with wider limits.
    static let restless = Result {
        try Office(
            "restless",
            settings: [
                "GATEPOST_LIMITS_MESSAGES_PER_HOUR": "100000",
                "GATEPOST_LIMITS_RECIPIENTS_PER_HOUR": "100000",
            ]
        )
    }

    private static let people = ["anna", "bob", "clara", "dora"]
    /// The server of each person's mailbox; all others are on the first server.
    private static let serverOf = ["bob": 1, "dora": 2]
    /// The capabilities of a server of twenty years ago.
    private static let fewCapabilities = "IMAP4rev1 STARTTLS AUTH=PLAIN"

    let environment: [String: String]
    let folder: URL
    private let gateway: Process
    private let servers: [DovecotServer]
    private let mta: EximServer
    /// The Microsoft test server in this process.
    let microsoft: MicrosoftTestServer

    /// - Parameter settings: Settings of its gateway, as environment variables, in addition to
    ///   the configuration file.
    private init(_ name: String, settings: [String: String] = [:]) throws {
        let number = ProcessInfo.processInfo.processIdentifier
        self.folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("office-\(number)-\(name)")
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755]
        )
        let imaps = try LoopbackPort.free(preferring: 0)
        let imap = try LoopbackPort.free(preferring: 0)
        let submissions = try LoopbackPort.free(preferring: 0)
        let submission = try LoopbackPort.free(preferring: 0)
        let configuration = self.folder.appendingPathComponent("gateway")
        var environment = ProcessInfo.processInfo.environment
        environment["GATEPOST"] = Self.executable.path
        environment["GATEPOST_CONFIG"] = configuration.appendingPathComponent("gatepost.yaml").path
        environment.merge(settings) { $1 }
        environment["IMAPS"] = "\(imaps)"
        environment["IMAP"] = "\(imap)"
        environment["SUBMISSIONS"] = "\(submissions)"
        environment["SUBMISSION"] = "\(submission)"
        // Servers on this machine store messages without delay.
        environment["GATEPOST_LIMITS_SETTLE_SECONDS"] = "2"
        environment["CA"] = configuration.appendingPathComponent("certs/ca.pem").path
        try Self.gatepost(
            environment,
            "init",
            configuration.path,
            "--imaps",
            "\(imaps)",
            "--imap",
            "\(imap)",
            "--submissions",
            "\(submissions)",
            "--submission",
            "\(submission)"
        )
        self.microsoft = try Self.startMicrosoft(configuration)
        let introspection = self.microsoft.introspectionPort
        self.servers = try Self.startServers(self.folder, configuration, introspection)
        self.mta = try Self.startMTA(self.folder, configuration, self.servers, introspection)
        environment["MTA_PORT"] = "\(self.mta.implicitPort)"
        environment["MTA_LOG"] = self.folder.appendingPathComponent("mta/log/mainlog").path
        environment["FIRST_PORT"] = "\(self.servers[0].port)"
        environment["SECOND_PORT"] = "\(self.servers[1].port)"
        environment["FIRST"] = self.folder.appendingPathComponent("first/mail").path
        environment["THIRD_PORT"] = "\(self.servers[2].port)"
        environment["SECOND"] = self.folder.appendingPathComponent("second/mail").path
        try Self.fill(environment, self.servers, self.mta)
        self.gateway = Process()
        self.gateway.executableURL = Self.executable
        self.gateway.arguments = ["serve"]
        self.gateway.environment = environment
        let log = self.folder.appendingPathComponent("serve.log")
        try Data().write(to: log)
        self.gateway.standardError = try FileHandle(forWritingTo: log)
        try self.gateway.runUnblocked()
        environment["GATEWAY_LOG"] = log.path
        environment["GATEWAY_PID"] = "\(self.gateway.processIdentifier)"
        self.environment = environment
        while !LoopbackPort.accepts(imaps) {
            guard self.gateway.isRunning else {
                throw Failure((try? String(contentsOf: log, encoding: .utf8)) ?? "no log")
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        Remains(gateway: self.gateway.processIdentifier, folder: self.folder).removeAtExit()
    }

    /// The executable that was built together with the tests.
    nonisolated static let executable: URL = {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var folder = tests.deletingLastPathComponent()
        while folder.path != "/" {
            let file = folder.appendingPathComponent("gatepost")
            if FileManager.default.isExecutableFile(atPath: file.path) { return file }
            folder = folder.deletingLastPathComponent()
        }
        return folder.appendingPathComponent("gatepost")
    }()

    /// The second server has the delimiter `.`; the third needs STARTTLS and has few
    /// extensions.
    private static func startServers(
        _ folder: URL,
        _ gateway: URL,
        _ introspection: Int
    ) throws -> [DovecotServer] {
        func mailboxes(_ names: String...) -> [DovecotServer.Mailbox] {
            names.map {
                DovecotServer.Mailbox(
                    user: "\($0)@kanzlei.example",
                    password: "up-\($0)@kanzlei.example"
                )
            }
        }
        let servers = [
            DovecotServer(
                folder: folder.appendingPathComponent("first"),
                port: try LoopbackPort.free(preferring: 0),
                traits: DovecotServer.Traits(
                    quota: 200,
                    introspectionPort: introspection,
                    lmtpPort: try LoopbackPort.free(preferring: 0)
                ),
                mailboxes: mailboxes("anna", "clara", "info")
            ),
            DovecotServer(
                folder: folder.appendingPathComponent("second"),
                port: try LoopbackPort.free(preferring: 0),
                traits: DovecotServer.Traits(
                    separator: ".",
                    lmtpPort: try LoopbackPort.free(preferring: 0)
                ),
                mailboxes: mailboxes("bob")
            ),
            DovecotServer(
                folder: folder.appendingPathComponent("third"),
                port: try LoopbackPort.free(preferring: 0),
                traits: DovecotServer.Traits(
                    usesSTARTTLS: true,
                    capabilities: Self.fewCapabilities
                ),
                mailboxes: mailboxes("dora")
            ),
        ]
        try self.deliverSamples(servers)
        let certificates = gateway.appendingPathComponent("certs")
        for server in servers {
            try server.handOver()
            try server.start(
                certificate: certificates.appendingPathComponent("server.pem"),
                key: certificates.appendingPathComponent("server.key")
            )
        }
        return servers
    }

    /// Exchange shares Vertrieb; Eva's own mailbox is on Exchange.
    private static func startMicrosoft(_ gateway: URL) throws -> MicrosoftTestServer {
        let server = MicrosoftTestServer(
            port: try LoopbackPort.free(preferring: 0),
            introspectionPort: try LoopbackPort.free(preferring: 0),
            organization: ExchangeOrganization(
                mailboxes: [
                    .init(
                        address: "vertrieb@kanzlei.example",
                        name: "Vertrieb",
                        aliases: ["sales@kanzlei.example"],
                        type: "SharedMailbox",
                        fullAccess: [.init(user: "anna@kanzlei.example")],
                        sendAs: [.init(user: "Vertriebsteam")],
                        sendOnBehalf: ["Clara"],
                        folders: [
                            .init(path: "Posteingang", type: "Inbox"),
                            .init(
                                path: "Projekte",
                                type: "User Created",
                                entries: [("Bob", ["Reviewer"]), ("Vertriebsteam", ["Editor"])]
                            ),
                            .init(path: "Projekte/Geheim", type: "User Created"),
                        ]
                    ),
                    .init(address: "eva@kanzlei.example", name: "Eva"),
                    .init(address: "anna@kanzlei.example", name: "Anna"),
                    .init(address: "bob@kanzlei.example", name: "Bob"),
                    .init(address: "clara@kanzlei.example", name: "Clara"),
                ],
                groups: [
                    .init(
                        name: "Vertriebsteam",
                        address: "team@kanzlei.example",
                        members: ["anna@kanzlei.example"]
                    )
                ]
            )
        )
        let certificates = gateway.appendingPathComponent("certs")
        try server.start(
            certificate: certificates.appendingPathComponent("server.pem"),
            key: certificates.appendingPathComponent("server.key")
        )
        try server.addApplication(to: gateway)
        return server
    }

    private static func startMTA(
        _ folder: URL,
        _ gateway: URL,
        _ servers: [DovecotServer],
        _ introspection: Int
    ) throws -> EximServer {
        let mta = EximServer(
            folder: folder.appendingPathComponent("mta"),
            implicitPort: try LoopbackPort.free(preferring: 0),
            startTLSPort: try LoopbackPort.free(preferring: 0),
            introspectionPort: introspection,
            mailboxes: ["anna", "bob", "clara", "info", "vertrieb", "eva"].map { name in
                let user = "\(name)@kanzlei.example"
                return (user, "up-\(user)", servers[self.serverOf[name] ?? 0].lmtpPort)
            }
        )
        let certificates = gateway.appendingPathComponent("certs")
        try mta.start(
            certificate: certificates.appendingPathComponent("server.pem"),
            key: certificates.appendingPathComponent("server.key")
        )
        return mta
    }

    private static func deliverSamples(_ servers: [DovecotServer]) throws {
        let samples: [(Int, String, String?)] = [
            (0, "anna", nil), (0, "anna", "Ablage"), (0, "clara", nil), (0, "info", nil),
            (1, "bob", nil), (1, "bob", "&ANw-bersicht"), (1, "bob", "Akten &- Gerichte"),
            (2, "dora", nil), (0, "vertrieb", nil), (0, "vertrieb", "Projekte"),
            (0, "vertrieb", "Projekte/Geheim"), (0, "vertrieb", "Privat"), (0, "eva", nil),
        ]
        for (server, user, folder) in samples {
            let message = """
                From: <post@gericht.example>
                To: <\(user)@kanzlei.example>
                Subject: Probe
                Date: Mon, 02 Nov 2026 09:30:00 +0100
                Message-ID: <\(UUID().uuidString)@gericht.example>

                Text von \(user) in \(folder ?? "INBOX").

                """
            try servers[server].deliver(
                message,
                to: "\(user)@kanzlei.example",
                folder: folder,
                isSeen: false
            )
        }
    }

    private static func fill(
        _ environment: [String: String],
        _ servers: [DovecotServer],
        _ mta: EximServer
    ) throws {
        for name in self.people + ["eva"] {
            try self.gatepost(
                environment,
                input: "pw-\(name)\n",
                "user",
                "add",
                "\(name)@kanzlei.example",
                "--password-stdin"
            )
        }
        for name in self.people + ["info"] {
            let server = servers[self.serverOf[name] ?? 0]
            var words = [
                "account", "add", "\(name)@kanzlei.example", "--kind", "imap",
                "--imap", "127.0.0.1:\(server.port)", "--ca", environment["CA"] ?? "",
                "--password-stdin",
            ]
            if name == "dora" {
                words += ["--tls", "starttls"]
            } else {
                words += ["--smtp", "localhost:\(mta.implicitPort)"]
            }
            if name != "info" { words += ["--owner", "\(name)@kanzlei.example"] }
            try self.gatepost(environment, input: "up-\(name)@kanzlei.example\n", words)
        }
        for name in ["vertrieb", "eva"] {
            var words = [
                "account", "add", "\(name)@kanzlei.example", "--kind", "exchange",
                "--imap", "127.0.0.1:\(servers[0].port)", "--ca", environment["CA"] ?? "",
                "--smtp", "localhost:\(mta.implicitPort)",
            ]
            if name == "eva" { words += ["--owner", "eva@kanzlei.example"] }
            try self.gatepost(environment, words)
        }
        try self.gatepost(
            environment,
            "account",
            "set",
            "bob@kanzlei.example",
            "--smtp",
            "localhost:\(mta.startTLSPort)",
            "--tls",
            "starttls"
        )
        try self.gatepost(
            environment,
            "grant",
            "add",
            "bob@kanzlei.example",
            "anna@kanzlei.example",
            "--view"
        )
        try self.gatepost(environment, "group", "add", "Sekretariat")
        try self.gatepost(environment, "group", "join", "Sekretariat", "anna@kanzlei.example")
        try self.gatepost(
            environment,
            "grant",
            "add",
            "info@kanzlei.example",
            "group:Sekretariat",
            "--edit"
        )
    }

    @discardableResult
    nonisolated private static func gatepost(
        _ environment: [String: String],
        input: String = "",
        _ words: String...
    ) throws -> String {
        try self.gatepost(environment, input: input, words)
    }

    @discardableResult
    nonisolated private static func gatepost(
        _ environment: [String: String],
        input: String = "",
        _ words: [String]
    ) throws -> String {
        let run = try Tool.run(self.executable.path, words, environment, input: input)
        guard run.status == 0 else { throw Failure("\(words): \(run.output)") }
        return run.output
    }
}

/// Processes and directories to remove when the tests end.
private struct Remains {
    private static let all = Mutex<[Remains]>([])

    var gateway: pid_t
    var folder: URL

    func removeAtExit() {
        let count = Self.all.withLock { all in
            all.append(self)
            return all.count
        }
        guard count == 1 else { return }
        atexit {
            let all = Remains.all.withLock { $0 }
            for remains in all { remains.stop() }
            // The mail servers write to their directories until they end.
            Thread.sleep(forTimeInterval: 1.5)
            for remains in all { try? FileManager.default.removeItem(at: remains.folder) }
        }
    }

    private func stop() {
        kill(self.gateway, SIGKILL)
        for server in ["first", "second", "third"] {
            // A test may have restarted the server: its pid file has the current process.
            let file = self.folder.appendingPathComponent("\(server)/run/master.pid")
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            if let process = pid_t(text.prefix { $0.isNumber }) { kill(process, SIGTERM) }
        }
        let mta = self.folder.appendingPathComponent("mta/exim.pid")
        let text = (try? String(contentsOf: mta, encoding: .utf8)) ?? ""
        if let process = pid_t(text.prefix { $0.isNumber }) { kill(process, SIGTERM) }
    }
}

/// Runs another program to its end.
enum Tool {
    /// The same, without blocking other tests.
    nonisolated static func runAside(
        _ path: String,
        _ arguments: [String],
        _ environment: [String: String]
    ) async throws -> (status: Int32, output: String) {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result { try self.run(path, arguments, environment) }
                )
            }
        }
    }

    static func run(
        _ path: String,
        _ arguments: [String],
        _ environment: [String: String],
        input: String = ""
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = environment
        let output = Pipe()
        let standardInput = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = standardInput
        try process.runUnblocked()
        standardInput.fileHandleForWriting.write(Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
        let octets = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: octets, as: UTF8.self))
    }

    /// Finds a program on the path; a missing one fails the test.
    static func find(_ name: String) throws -> String {
        for folder in ["/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin"] {
            let path = "\(folder)/\(name)"
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw Failure("\(name) is not installed; the README names the packages")
    }
}
