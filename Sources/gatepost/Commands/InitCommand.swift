import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost init [DIR]`: writes the files of a new gateway, and never overwrites one.
///
/// The files are `gatepost.yaml`, `gatepost.sqlite`, `master.key` and the folder `certs`. The ports
/// default to those of RFC 8314 (993, 465), RFC 9051 (143) and RFC 6409 (587). At a terminal it asks
/// who checks passwords; without an answer the gateway does. A caller who came by
/// sudo is refused: the files would belong to the gateway's user, in a folder of the caller's
/// choice.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract:
            "Write a configuration, an empty store, a master key and development certificates."
    )

    @Argument(help: "The folder to write to; it is created if it is missing.")
    var folder = "."

    @Option(help: "Listen on this address.")
    var host = "127.0.0.1"

    @Option(help: "Set the port for IMAP with implicit TLS; 0 omits it.")
    var imaps = 993

    @Option(help: "Set the port for IMAP with STARTTLS; 0 omits it.")
    var imap = 143

    @Option(help: "Set the port for submission with implicit TLS; 0 omits it.")
    var submissions = 465

    @Option(help: "Set the port for submission with STARTTLS; 0 omits it.")
    var submission = 587

    @OptionGroup var source: SourceOptions

    /// - Throws: `ValidationError` for a port or an address that the configuration cannot contain.
    func validate() throws {
        for port in [self.imaps, self.imap, self.submissions, self.submission]
        where !(0...65_535).contains(port) {
            throw ValidationError("port \(port) is out of range: use 0 to 65535")
        }
        guard
            [self.imaps, self.imap, self.submissions, self.submission].contains(where: { $0 != 0 })
        else {
            throw ValidationError("all ports are 0: give at least one listener a port")
        }
        // The address is written into the YAML file without quoting.
        guard self.host.utf8.allSatisfy({ $0.isASCIILetterOrDigit || ".-:".utf8.contains($0) })
        else {
            throw ValidationError("\(self.host) is not an address: use letters, digits, . - and :")
        }
    }

    func run() async throws {
        guard !Actor.current.isBySudo else {
            throw Failure("run init as root or as the gateway's user, not by sudo")
        }
        var template = ConfigurationTemplate(folder: self.folder, host: self.host)
        template.imaps = self.imaps
        template.imap = self.imap
        template.submissions = self.submissions
        template.submission = self.submission
        template.source = try self.source.settings(
            ask: isatty(0) == 1 ? { Terminal.ask($0, echoes: true) } : nil
        )
        try template.write()
        print(
            """
            \(template.file) is ready. Next, in this order:
            \(Self.nextSteps(template.source))
              gatepost serve
            The certificates are for tests: replace them before others use the gateway.
            Keep a copy of master.key: without it the stored credentials cannot be read.
            """
        )
    }

    /// The commands between `init` and `serve`.
    private static func nextSteps(_ source: SourceSettings) -> String {
        switch source {
        case .gateway:
            """
              gatepost user add LOGIN
              gatepost account add ADDRESS --kind imap --owner LOGIN --imap HOST
            """
        case .upstream:
            """
              gatepost user add LOGIN, or for many users: gatepost user import FILE.csv
              gatepost account add ADDRESS --kind imap --owner LOGIN --imap HOST
            """
        case .ldap:
            """
              write the password of the account to \(SourceSettings.Directory.passwordFile) (mode 0600)
              gatepost user import --ldap '(mail=*)' --imap HOST
              gatepost account set ADDRESS --password-stdin, for each mailbox to share
            """
        case .oauth:
            """
              gatepost user add LOGIN, or for many users: gatepost user import FILE.csv
              gatepost account add ADDRESS --kind imap --owner LOGIN --imap HOST --password-stdin
            """
        }
    }
}
