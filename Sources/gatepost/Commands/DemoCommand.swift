import Access
import ArgumentParser
import Demo
import Foundation
import Gateway
import ServiceLifecycle
import Store
import UnixSignals

/// `gatepost demo`: a gateway with real Dovecot and Exim servers, in a temporary folder.
///
/// All listeners are on free ports of 127.0.0.1. A test server takes the part of Microsoft's
/// services: Entra's token endpoint and the administration interfaces of Exchange Online. The
/// folder is removed at the end, also if the start fails. The command requires no role, because it
/// creates the store that it uses. It refuses a caller who came by sudo.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run a gateway in front of local mail servers with sample mailboxes.",
        discussion: """
            It needs Dovecot and Exim on this machine, prints what to type next, and removes everything \
            when Ctrl-C ends it.
            """
    )

    func run() async throws {
        // It starts other programs as the current user: by sudo that user owns the secrets.
        guard !Actor.current.isBySudo else {
            throw Failure("run the demo as yourself, not by sudo")
        }
        let needed = [DovecotServer.executable, DovecotServer.lmtp, EximServer.executable]
        guard needed.allSatisfy(FileManager.default.isExecutableFile) else {
            throw Failure(
                "the demo needs Dovecot and Exim: apt-get install -y dovecot-imapd "
                    + "dovecot-lmtpd exim4-daemon-light"
            )
        }
        let folder = URL(fileURLWithPath: NSTemporaryDirectory())
            .appendingPathComponent("gatepost-demo-\(UUID().uuidString)")
        // The folder is removed even if the gateway never starts.
        let office = try DemoOffice(folder: folder)
        defer { office.remove() }
        try office.prepare()
        var template = ConfigurationTemplate(folder: office.gateway.path, host: "127.0.0.1")
        template.imaps = office.imaps
        template.imap = office.imap
        template.submissions = office.submissions
        template.submission = office.submission
        try template.write()
        try office.start()
        let configuration = try await GatewayConfiguration(file: template.file)
        let gateway = try Gateway(
            configuration: configuration,
            store: try PermissionStore(configuration.storeLocation, creates: false),
            masterKey: try MasterKey(file: configuration.masterKey),
            logger: LogOutput.logger(level: "notice")
        )
        print(office.introduction)
        fflush(nil)
        let group = ServiceGroup(
            services: [gateway],
            gracefulShutdownSignals: [.sigterm, .sigint, .sighup],
            logger: LogOutput.logger(level: "error")
        )
        try await group.run()
    }
}
