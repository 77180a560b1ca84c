import ArgumentParser
import Foundation
import Store

/// `gatepost init [DIR]`
struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a configuration, an empty store, a master key and development certificates."
    )

    @Argument(help: "The folder; it is made where it is missing.")
    var folder = "."

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Port for IMAP with implicit TLS; 0 leaves it out.")
    var imaps = 993

    @Option(help: "Port for IMAP with STARTTLS; 0 leaves it out.")
    var imap = 143

    @Option(help: "Port for submission with implicit TLS. Not served by this version.")
    var submissions = 465

    @Option(help: "Port for submission with STARTTLS. Not served by this version.")
    var submission = 587

    func validate() throws {
        for port in [self.imaps, self.imap, self.submissions, self.submission]
        where !(0...65_535).contains(port) {
            throw ValidationError("\(port) is no port: 0 to 65535")
        }
        guard self.imaps != 0 || self.imap != 0 else {
            throw ValidationError("at least one of --imaps and --imap must not be 0")
        }
    }

    func run() async throws {
        let folder = URL(fileURLWithPath: self.folder)
        let file = folder.appendingPathComponent("gatepost.yaml").path
        for name in ["gatepost.yaml", "gatepost.sqlite", "master.key", "certs"] {
            let path = folder.appendingPathComponent(name).path
            guard !FileManager.default.fileExists(atPath: path) else {
                throw Failure("\(path) exists: init never overwrites; choose another folder")
            }
        }
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        try DevelopmentCertificates(host: self.host)
            .write(to: folder.appendingPathComponent("certs"))
        try MasterKey().write(to: folder.appendingPathComponent("master.key").path)
        _ = try PermissionStore(path: folder.appendingPathComponent("gatepost.sqlite").path)
        try Data(self.configurationText.utf8).write(to: URL(fileURLWithPath: file))
        print(
            """
            \(file) is ready. Next, in this order:
              gatepost user add LOGIN
              gatepost account add ADDRESS --kind imap --owner LOGIN --imap HOST --password-stdin
              gatepost serve
            The certificates are for trying out: replace them before others use the gateway.
            Keep a copy of master.key; without it the stored credentials cannot be read.
            """
        )
    }

    private func listener(_ name: String, _ port: Int) -> String {
        let address = self.host.contains(":") ? "[\(self.host)]" : self.host
        return port == 0 ? "  # \(name): left out" : "  \(name): \"\(address):\(port)\""
    }

    private var configurationText: String {
        """
        # Configuration of Gatepost. Paths are relative to this file's folder. Each value can be
        # given in the environment instead: GATEPOST_LOG_LEVEL=debug goes before log.level here.

        listen:
          # IMAP with TLS from the first octet, and IMAP with STARTTLS.
        \(self.listener("imaps", self.imaps))
        \(self.listener("imap", self.imap))
          # Submission is not served by this version; these ports are kept for it.
          # submissions: "\(self.host):\(self.submissions)"
          # submission: "\(self.host):\(self.submission)"

        tls:
          # The first certificate is shown to clients that name no host. Keys in the same order.
          certificates: ["certs/server.pem"]
          keys: ["certs/server.key"]

        store: gatepost.sqlite
        masterKey: master.key

        log:
          # trace, debug, info, notice, warning, error or critical
          level: info

        # threads: 4                  # event loops; one for each core by default

        limits:
          connectionsPerAddress: 200
          connectionsPerUser: 50
          loginSeconds: 60            # from the connection's start to its login
          idleMinutes: 31             # silence of a client; IMAP asks for 30 at least
          upstreamSeconds: 15         # connecting to a mail server and logging in there

        """
    }
}
