import ArgumentParser
import Gateway
import Store

/// `gatepost init [DIR]`
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract:
            "Write a configuration, an empty store, a master key and development certificates."
    )

    @Argument(help: "The folder; it is made where it is missing.")
    var folder = "."

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Port for IMAP with implicit TLS; 0 leaves it out.")
    var imaps = 993

    @Option(help: "Port for IMAP with STARTTLS; 0 leaves it out.")
    var imap = 143

    @Option(help: "Port for submission with implicit TLS; 0 leaves it out.")
    var submissions = 465

    @Option(help: "Port for submission with STARTTLS; 0 leaves it out.")
    var submission = 587

    func validate() throws {
        for port in [self.imaps, self.imap, self.submissions, self.submission]
        where !(0...65_535).contains(port) {
            throw ValidationError("\(port) is no port: 0 to 65535")
        }
        guard
            [self.imaps, self.imap, self.submissions, self.submission].contains(where: { $0 != 0 })
        else {
            throw ValidationError("at least one port must not be 0")
        }
        // It stands in the configuration as it is.
        guard self.host.utf8.allSatisfy({ $0.isASCIILetterOrDigit || ".-:".utf8.contains($0) })
        else {
            throw ValidationError("\(self.host) is no address: letters, digits, . - and :")
        }
    }

    func run() async throws {
        guard !Actor.current.isBySudo else {
            throw Failure("a configuration is root's or the gateway's user's own: not by sudo")
        }
        var template = ConfigurationTemplate(folder: self.folder, host: self.host)
        template.imaps = self.imaps
        template.imap = self.imap
        template.submissions = self.submissions
        template.submission = self.submission
        try template.write()
        print(
            """
            \(template.file) is ready. Next, in this order:
              gatepost user add LOGIN
              gatepost account add ADDRESS --kind imap --owner LOGIN --imap HOST --password-stdin
              gatepost serve
            The certificates are for trying out: replace them before others use the gateway.
            Keep a copy of master.key; without it the stored credentials cannot be read.
            """
        )
    }
}
