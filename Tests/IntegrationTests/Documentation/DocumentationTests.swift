import Foundation
import Testing

@testable import gatepost

/// Runs the command blocks of the README and of the articles, and checks what the text promises.
@Suite(.serialized) struct DocumentationTests {
    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"

    /// The blocks that no test executes, by the beginnings of their first lines: they need a package manager, a
    /// build, systemd, another user or Microsoft's servers, or they are configurations of other programs.
    private static let unexecuted: [String: [String]] = [
        "README": [
            "text:  ", "console: apt-get install", "console: apt-get install",
            "console: swift run -c release gatepost demo",
            "console: swift test", "console: swift build -c release --product gatepost",
        ],
        "Contributing": [
            "console: FUZZ_ROUNDS=1000000", "console: swift package generate-documentation",
        ],
        "Exchange": [
            "powershell: New-ServicePrincipal", "yaml: exchange:", "text: [Service]",
            "powershell: .\\export.ps1",
        ],
        "Logins": [
            "yaml: authentication:", "console: gatepost user add frida", "yaml: authentication:",
            "yaml: authentication:", "console: gatepost group add", "yaml: authentication:",
            "console: gatepost user app-password add",
        ],
        "MailPrograms": ["text: anna@kanzlei.example/info@kanzlei.example"],
        "Operating": [
            "console: useradd", "yaml: store:", "console: systemctl", "yaml: tls:",
            "console: gatepost session end 7", "console: umask 077",
            "console: install -o gatepost",
            "console: install -m 0755",
        ],
        "RightsAndRoles": ["text: kim ALL=(gatepost)", "console: gatepost user leave"],
        "Sending": ["console: gatepost sent list"],
        "SeveralGateways": [
            "console: createuser", "yaml: store: postgresql", "console: gatepost store create",
            "sql: UPDATE sentcopy",
        ],
    ]

    /// The pages whose settings a mail program reads in a test of its own.
    private static let mailPrograms: Set = ["Mbsync", "Mutt", "OfflineIMAP", "Roundcube"]

    /// The articles with commands, and the YAML that the test puts into force.
    private static let articles: [String: [String]] = [
        "AuditLog": [], "Exchange": [], "Operating": [], "Sending": [],
        "RightsAndRoles": ["consent: \"required\""],
    ]

    @Test func `every block that no test executes is known`() throws {
        for document in try DocumentedBlock.documents() {
            let executed = Self.articles[document, default: []]
            let blocks = try DocumentedBlock.all(in: document).filter { block in
                block.language != "sh" && !executed.contains(block.text)
                    && !Self.mailPrograms.contains(document)
            }
            let known = Self.unexecuted[document, default: []]
            #expect(blocks.count == known.count, "\(document): \(blocks)")
            for (block, beginning) in zip(blocks, known) {
                #expect("\(block.language): \(block.firstLine)".hasPrefix(beginning), "\(document)")
            }
            let hasCommands = try DocumentedBlock.all(in: document).contains { $0.language == "sh" }
            #expect(hasCommands == (document == "README" || Self.articles[document] != nil))
        }
    }

    @Test func `the first steps end with a mail program that shows a shared folder`() throws {
        let installation = try DocumentedInstallation()
        let outputs = try installation.takeFirstSteps()
        let folders = try #require(outputs.last)
        #expect(folders.contains(" INBOX\r\n"))
        let shared = "\"Other Users/\(Self.bob)/Akten\"\r\n"
        #expect(folders.contains(shared))
        // The settings of the last step, and the other ones of the articles on mail programs.
        let startTLS = try installation.curl("--ssl-reqd imap://localhost:$IMAP/", as: Self.anna)
        #expect(startTLS.contains(shared))
        // The message that is there gets its number before others arrive.
        _ = try installation.message("INBOX", of: Self.anna, number: 1)
        for (number, server) in ["smtps://localhost:$SUBMISSIONS", "smtp://localhost:$SUBMISSION"]
            .enumerated()
        {
            try installation.send(from: Self.bob, to: Self.anna, server: server)
            let message = try installation.message("INBOX", of: Self.anna, number: number + 2)
            #expect(message.contains("Sender: \"Anna\" <\(Self.anna)>\r\n"), "\(message)")
        }
    }

    @Test(arguments: Self.articles.keys.sorted())
    func `the commands of an article do what it promises`(article: String) throws {
        let installation = try DocumentedInstallation()
        try installation.takeFirstSteps()
        if article == "Exchange" { try installation.registerApplication() }
        var output = ""
        for block in try DocumentedBlock.all(in: article) {
            if block.text.contains("--from export.json") { try installation.exportPermissions() }
            if Self.articles[article, default: []].contains(block.text) {
                try installation.configure(block.text)
            } else if block.language == "sh" {
                output += try installation.run(block.text)
            }
        }
        // A change is in force within a second; a message that is sent before has no copy.
        Thread.sleep(forTimeInterval: 3)
        try Self.check(article, output: output, installation: installation)
    }

    private static func check(
        _ article: String,
        output: String,
        installation: DocumentedInstallation
    ) throws {
        let folders = try installation.curl("imaps://localhost/", as: Self.anna)
        switch article {
        case "AuditLog":
            #expect(output.contains("all intact"))
            #expect(output.contains("grant add \(Self.bob) \(Self.anna)"))
        case "Exchange":
            #expect(output.contains("in force"))
            #expect(folders.contains("Shared/\(DocumentedInstallation.sales)/INBOX"))
        case "Operating":
            #expect(
                try installation.run("cat /etc/systemd/system/gatepost.service").contains(
                    "ExecStart="
                )
            )
            #expect(output.contains("nothing to change"))
        case "RightsAndRoles":
            #expect(folders.contains("Other Users/\(Self.bob)/Privat"))
            #expect(folders.contains("Other Users/\(Self.bob)/INBOX"))
            #expect(output.contains("conflict of interest"))
        case "Sending":
            try installation.send(
                from: Self.bob,
                to: Self.anna,
                server: "smtps://localhost:$SUBMISSIONS"
            )
            // The gateway files the copy after its answer.
            let copy = try installation.message("Sent", of: Self.bob, number: 1)
            #expect(copy.contains("Subject: Test"))
            #expect(throws: Failure.self) {
                try installation.send(
                    from: "kim@kanzlei.example",
                    to: Self.anna,
                    server: "smtps://localhost:$SUBMISSIONS"
                )
            }
        default:
            Issue.record("no promise of \(article) is checked")
        }
    }
}

/// A mail program, as curl plays it.
extension DocumentedInstallation {
    func curl(_ words: String, as user: String) throws -> String {
        let login = "--user \(user):server-\(user)"
        return try self.run(
            "curl --silent --show-error --cacert /etc/gatepost/certs/ca.pem \(login) \(words)"
        )
    }

    /// Sends a message with Anna's login.
    func send(from sender: String, to recipient: String, server: String) throws {
        let anna = Self.people[0]
        try self.run(
            """
            printf 'From: \(sender)\\r\\nTo: \(recipient)\\r\\nSubject: Test\\r\\n\\r\\nText.\\r\\n' |
                curl --silent --show-error --ssl-reqd --cacert /etc/gatepost/certs/ca.pem \
                    --user \(anna):server-\(anna) --mail-from \(sender) --mail-rcpt \(recipient) \
                    --upload-file - \(server)
            """
        )
    }

    /// A message, once it is there.
    func message(_ folder: String, of user: String, number: Int) throws -> String {
        for _ in 0..<100 {
            let message = try? self.curl(
                "'imaps://localhost/\(folder);MAILINDEX=\(number)'",
                as: user
            )
            if let message { return message }
            Thread.sleep(forTimeInterval: 0.1)
        }
        let log = try self.run("cat \"$INSTALLATION/serve.log\"")
        throw Failure("\(folder) of \(user) has no message \(number): \(log)")
    }
}
