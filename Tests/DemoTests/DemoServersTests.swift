import Access
import Foundation
import Store
import Support
import Testing

@testable import Demo

/// The files that the demo's servers read, and the messages that they are given.
@Suite struct DemoServersTests {
    private static func server(
        _ folder: TemporaryFolder,
        _ traits: DovecotServer.Traits = DovecotServer.Traits(),
        port: Int = 11_993
    ) -> DovecotServer {
        DovecotServer(
            folder: folder.url.appendingPathComponent("server"),
            port: port,
            traits: traits,
            mailboxes: [.init(user: "anna@kanzlei.example", password: "x")]
        )
    }

    private static func configuration(_ traits: DovecotServer.Traits) throws -> String {
        let folder = try TemporaryFolder()
        return self.server(folder, traits).configuration(
            URL(fileURLWithPath: "/certs/server.pem"),
            key: URL(fileURLWithPath: "/certs/server.key")
        )
    }

    /// The lines without their indentation.
    private static func lines(_ traits: DovecotServer.Traits) throws -> [String] {
        try self.configuration(traits).split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
    }

    @Test func `a server listens on loopback alone, with the certificate that it was given`() throws
    {
        let lines = try Self.lines(DovecotServer.Traits())
        #expect(lines.contains("listen = 127.0.0.1"))
        #expect(lines.contains("ssl = required"))
        #expect(lines.contains("ssl_cert = </certs/server.pem"))
        #expect(lines.contains("ssl_key = </certs/server.key"))
        #expect(lines.contains("protocols = imap"))
        #expect(lines.contains("separator = /"))
    }

    @Test(arguments: [
        (true, ["port = 11993", "port = 0"]), (false, ["port = 0", "port = 11993"]),
    ])
    func `one of both kinds of TLS is spoken at the port`(
        usesSTARTTLS: Bool,
        ports: [String]
    ) throws {
        var traits = DovecotServer.Traits()
        traits.usesSTARTTLS = usesSTARTTLS
        let lines = try Self.lines(traits)
        #expect(lines.filter { $0.hasPrefix("port = ") } == ports)
    }

    @Test(arguments: [Character("."), "/", "^"])
    func `the delimiter is the one that is asked for`(separator: Character) throws {
        var traits = DovecotServer.Traits()
        traits.separator = separator
        #expect(try Self.lines(traits).contains("separator = \(separator)"))
    }

    @Test func `what a server can besides is written where it is asked for, and not otherwise`()
        throws
    {
        var traits = DovecotServer.Traits()
        let plain = try Self.configuration(traits)
        for word in ["xoauth2", "lmtp", "imap_capability", "quota"] {
            #expect(!plain.contains(word), "\(word)")
        }
        traits.introspectionPort = 13_080
        traits.lmtpPort = 11_024
        traits.capabilities = "IMAP4rev1 IDLE"
        traits.quota = 7
        let lines = try Self.lines(traits)
        #expect(lines.contains("auth_mechanisms = plain xoauth2"))
        #expect(lines.contains("protocols = imap lmtp"))
        #expect(lines.contains("port = 11024"))
        #expect(lines.contains("imap_capability = IMAP4rev1 IDLE"))
        #expect(lines.contains("quota_rule = *:storage=7M"))
    }

    @Test(arguments: [1, 13_080, 65_535])
    func `tokens are asked about on this machine`(port: Int) {
        let text = DovecotServer.tokens(port)
        #expect(text.contains("introspection_url = http://127.0.0.1:\(port)/introspect\n"))
        #expect(text.hasSuffix("\n"))
    }

    // MARK: - Messages

    @Test(
        arguments: [
            (nil, false, "mail/anna@kanzlei.example/new"),
            (nil, true, "mail/anna@kanzlei.example/cur"),
            ("Akten", false, "mail/anna@kanzlei.example/.Akten/new"),
            ("Akten/Alt", true, "mail/anna@kanzlei.example/.Akten.Alt/cur"),
        ] as [(String?, Bool, String)]
    )
    func `a message is in its folder, with lines as mail has them`(
        name: String?,
        isSeen: Bool,
        place: String
    ) throws {
        let folder = try TemporaryFolder()
        let server = Self.server(folder)
        for _ in 0..<2 {
            try server.deliver(
                "Subject: x\n\ntext\n",
                to: "anna@kanzlei.example",
                folder: name,
                isSeen: isSeen
            )
        }
        let files = folder.names(in: "server/\(place)")
        #expect(files.count == 2, "one of them took the other's name")
        #expect(files.allSatisfy { $0.hasSuffix(":2,S") == isSeen })
        let text = try String(
            contentsOfFile: folder.path("server/\(place)/\(files[0])"),
            encoding: .utf8
        )
        #expect(text == "Subject: x\r\n\r\ntext\r\n")
    }

    // MARK: - Processes

    @Test(arguments: ["/bin/false", "/bin/true"])
    func `a program that ends does not start, and its log says why`(program: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(String(repeating: "x", count: 5_000) + " the reason", as: "log")
        let process = ServerProcess("a server")
        let error = #expect(throws: DemoError.self) {
            try process.start(
                program,
                arguments: [],
                port: LoopbackPort.free(preferring: 0),
                log: folder.url.appendingPathComponent("log")
            )
        }
        let said = error?.description ?? ""
        #expect(said.hasPrefix("a server does not start: ") && said.hasSuffix("the reason"))
        #expect(said.count < 500)
        process.stop()
    }

    @Test func `a program that was not started is stopped without harm`() {
        let process = ServerProcess("a server")
        #expect(process.identifier == 0)
        process.stop()
    }

    // MARK: - The office

    @Test func `an office has ports of its own, and everybody a password`() throws {
        let folder = try TemporaryFolder()
        let offices = try (0..<2).map { number in
            try DemoOffice(folder: folder.url.appendingPathComponent("\(number)"))
        }
        for office in offices {
            let ports = [
                office.imaps, office.imap, office.submissions, office.submission,
                office.first.port, office.second.port, office.first.lmtpPort,
                office.second.lmtpPort, office.mta.implicitPort, office.microsoft.port,
                office.microsoft.introspectionPort,
            ]
            #expect(Set(ports).count == ports.count, "\(ports)")
        }
        let passwords = DemoOffice.people.map(DemoOffice.password)
        #expect(Set(passwords).count == DemoOffice.people.count)
        for user in DemoOffice.people {
            #expect(DemoOffice.upstreamPassword(of: user) != DemoOffice.password(of: user))
        }
    }

    // MARK: - Pages of the documented interface

    private static func page(
        _ query: String = "",
        _ state: inout MicrosoftTestServer.State,
        endpoint: String = "Mailbox",
        cmdlet: String = "Get-Mailbox"
    ) throws -> HTTPAnswer {
        state.tokens["t"] = Date().addingTimeInterval(60)
        let server = MicrosoftTestServer(
            port: 1,
            introspectionPort: 2,
            organization: state.organization
        )
        let body = try JSONSerialization.data(withJSONObject: [
            "CmdletInput": [
                "CmdletName": cmdlet, "Parameters": ["Identity": "team@kanzlei.example"],
            ]
        ])
        return server.documentedAnswer(
            MicrosoftTestServer.documentedPath + endpoint + query,
            authorization: "Bearer t",
            body: body,
            state: &state
        )
    }

    private static func state(members: Int) -> MicrosoftTestServer.State {
        let addresses = (0..<members).map { "u\($0)@kanzlei.example" }
        return MicrosoftTestServer.State(
            organization: ExchangeOrganization(
                mailboxes: addresses.map { .init(address: $0, name: $0) },
                groups: [
                    .init(name: "Team", address: "team@kanzlei.example", members: addresses)
                ]
            )
        )
    }

    @Test(arguments: [(0, 3, 1), (3, 3, 1), (4, 3, 2), (10, 3, 4), (9, 3, 3)])
    func `pages follow each other to the last, and have each row once`(
        members: Int,
        rows: Int,
        pages: Int
    ) throws {
        var state = Self.state(members: members)
        state.documented.pageRows = rows
        var query = ""
        var found: [String] = []
        var count = 0
        while true {
            count += 1
            let answer = try Self.page(
                query,
                &state,
                endpoint: "DistributionGroupMember",
                cmdlet: "Get-DistributionGroupMember"
            )
            let fields = try #require(
                try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
            )
            let values = try #require(fields["value"] as? [[String: Any]])
            found += values.compactMap { $0["PrimarySmtpAddress"] as? String }
            guard let next = fields["@odata.nextLink"] as? String else { break }
            #expect((fields["@adminapi.warnings"] as? [String])?.isEmpty == false)
            query = String(next.drop { $0 != "?" })
        }
        #expect(count == pages)
        #expect(found == (0..<members).map { "u\($0)@kanzlei.example" })
    }

    @Test func `a cmdlet of another endpoint, and one without a token, is refused`() throws {
        var state = Self.state(members: 1)
        #expect(try Self.page("", &state, endpoint: "Nothing").status == 400)
        #expect(try Self.page("", &state, cmdlet: "Get-User").status == 400)
        state.documented.refuseAll(503)
        #expect(try Self.page("", &state).status == 503)
    }
}
