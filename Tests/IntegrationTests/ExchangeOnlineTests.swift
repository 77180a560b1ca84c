import Access
import Demo
import Exchange
import Foundation
import Synchronization
import Testing

@testable import gatepost

/// Loading from Exchange Online, against a server that answers as documented, over HTTPS.
@Suite(.serialized) struct ExchangeOnlineTests {
    /// A test server with one mailbox.
    final class Bench {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("online-\(UUID().uuidString)")
        let server: MicrosoftTestServer

        init(_ organization: ExchangeOrganization? = nil) throws {
            try DevelopmentCertificates(host: "127.0.0.1").write(to: self.folder)
            self.server = MicrosoftTestServer(
                port: try LoopbackPort.free(preferring: 0),
                introspectionPort: try LoopbackPort.free(preferring: 0),
                organization: organization ?? Self.organization
            )
            try self.server.start(
                certificate: self.folder.appendingPathComponent("server.pem"),
                key: self.folder.appendingPathComponent("server.key")
            )
        }

        deinit {
            self.server.stop()
            try? FileManager.default.removeItem(at: self.folder)
        }

        static let organization = ExchangeOrganization(
            mailboxes: [
                .init(
                    address: "sales@contoso.example",
                    name: "Sales",
                    fullAccess: [
                        .init(user: "Team"), .init(user: "temp@contoso.example", isDenied: true),
                        .init(user: "Mail Gateway"), .init(user: "old@contoso.example"),
                    ],
                    sendAs: [.init(user: "kim@contoso.example")],
                    sendOnBehalf: ["Lee Gu"],
                    folders: [
                        .init(
                            path: "Posteingang",
                            type: "Inbox",
                            entries: [("Lee Gu", ["Reviewer"]), ("Default", ["None"])]
                        ),
                        .init(
                            path: "Posteingang/A\u{F8FF}B",
                            type: "User Created",
                            entries: [("Lee Gu", ["Reviewer"])]
                        ),
                    ]
                ),
                .init(address: "kim@contoso.example", name: "Kim Akers"),
                .init(address: "lee@contoso.example", name: "Lee Gu"),
                .init(address: "temp@contoso.example", name: "Temp"),
                .init(address: "old@contoso.example", name: "Old"),
                .init(address: "odd@contoso.example", name: "System.Any questions?..."),
            ],
            groups: [
                .init(
                    name: "Team",
                    address: "team@contoso.example",
                    members: ["inner@contoso.example", "temp@contoso.example"]
                ),
                .init(
                    name: "Inner",
                    address: "inner@contoso.example",
                    members: ["kim@contoso.example", "team@contoso.example"]
                ),
            ],
            applications: [.init(name: "Mail Gateway", id: MicrosoftTestServer.application)],
            disabled: ["old@contoso.example"]
        )

        func application(
            clientID: String = MicrosoftTestServer.application,
            tenant: String = MicrosoftTestServer.tenant,
            proof: EntraApplication.Proof = .secret(MicrosoftTestServer.secret)
        ) -> EntraApplication {
            EntraApplication(
                tenant: tenant,
                clientID: clientID,
                proof: proof,
                loginURL: "https://localhost:\(self.server.port)",
                exchangeURL: "https://localhost:\(self.server.port)",
                caFile: self.folder.appendingPathComponent("ca.pem").path
            )
        }

        /// - Parameter seconds: How far the loader's clock is ahead.
        func load(after seconds: TimeInterval = 0) async throws -> PermissionsDocument {
            let application = self.application()
            let tokens = TokenSource(application)
            let loader = OnlineLoader(application, tokens: tokens) {
                Date().addingTimeInterval(seconds)
            }
            defer {
                loader.shutdown()
                tokens.shutdown()
            }
            return try await loader.load(["sales@contoso.example"])
        }

        func token(_ application: EntraApplication) async throws -> String {
            let tokens = TokenSource(application)
            defer { tokens.shutdown() }
            return try await tokens.token().value
        }
    }

    private static let people = ["kim", "lee", "temp", "old"].map {
        Person(login: "\($0)@contoso.example", addresses: ["\($0)@contoso.example"])
    }

    static func imported(_ document: PermissionsDocument) throws -> ImportedPermissions {
        Resolution.resolve(
            try document.mailbox(of: ["sales@contoso.example"], identity: nil),
            in: document,
            people: Self.people
        )
    }

    static func lines(_ document: PermissionsDocument) throws -> [String] {
        let imported = try Self.imported(document)
        #expect(imported.unresolved.isEmpty)
        #expect(imported.denials.map(\.login) == ["temp@contoso.example"])
        return imported.entries.map {
            "\($0.login ?? "anyone") \($0.rights) \($0.send) \($0.folder ?? "all") \($0.via ?? "-")"
        }.sorted()
    }

    static let expected = [
        "kim@contoso.example  as all -", "kim@contoso.example lrswikxte none all Team",
        "lee@contoso.example  on-behalf all -", "lee@contoso.example lr none INBOX -",
    ]

    @Test func `a load includes nested groups`() async throws {
        let bench = try Bench()
        let document = try await bench.load()
        #expect(try Self.lines(document) == Self.expected)
        let commands = bench.server.state.withLock(\.commands)
        #expect(commands.filter { $0.hasPrefix("Get-MailboxFolderPermission") }.count == 2)
        #expect(bench.server.state.withLock(\.tokenRequests) == 1)
    }

    @Test func `a busy server is asked again after the time that it states`() async throws {
        let bench = try Bench()
        bench.server.state.withLock { state in
            state.faults = [
                .status(429, headers: ["Retry-After": "1"], body: ""),
                .status(
                    400,
                    headers: ["Retry-After": "0"],
                    body: #"{"error":{"details":[{"code":"ServerBusyException"}]}}"#
                ),
                .status(503, headers: ["Retry-After": "0"], body: "x"),
            ]
        }
        #expect(try Self.lines(await bench.load()) == Self.expected)
        let times = bench.server.state.withLock(\.times)
        #expect(times[1] - times[0] >= .seconds(1))
    }

    @Test func `a load fails if a server stays busy`() async throws {
        let bench = try Bench()
        for (seconds, tries) in [("0", 6), ("3600", 1), ("-9223372036854775808", 6)] {
            bench.server.state.withLock { state in
                state.times = []
                state.faults = Array(
                    repeating: .status(429, headers: ["Retry-After": seconds], body: ""),
                    count: 6
                )
            }
            let error = await #expect(throws: OnlineError.self) { _ = try await bench.load() }
            #expect(error?.description.contains("Exchange is busy (HTTP 429)") == true)
            #expect(bench.server.state.withLock(\.times.count) == tries)
        }
    }

    @Test func `a load fails if rows are about another mailbox`() async throws {
        let bench = try Bench()
        bench.server.state.withLock { $0.organization.answersAbout = "board" }
        let error = await #expect(throws: OnlineError.self) { _ = try await bench.load() }
        #expect(error?.description.contains("is about board, not sales@") == true)
    }

    @Test func `an application that cannot be looked up is reported as unknown`() async throws {
        let bench = try Bench()
        bench.server.state.withLock { $0.refused = ["Get-ServicePrincipal"] }
        let document = try await bench.load()
        #expect(document.notes.contains { $0.hasPrefix("the organisation's applications are not") })
    }

    @Test(arguments: [
        (MicrosoftTestServer.Fault.warning, "may be incomplete: There are more results"),
        (.nextLink, "one page of several"),
        (.status(401, headers: [:], body: ""), "Exchange.ManageAsApp"),
        (
            .status(403, headers: [:], body: String(repeating: "\0", count: 4_096)),
            "Global Reader"
        ),
        (.status(200, headers: [:], body: "<html>"), "not a list"),
        (
            .status(
                400,
                headers: [:],
                body:
                    #"{"error":{"message":"Invalid Operation","details":[{"message":"|Some.Type|In words"}]}}"#
            ), "Get-Mailbox: In words"
        ),
        (.status(404, headers: [:], body: ""), "HTTP 404"),
    ])
    func `a load fails after an incomplete answer, and a refusal names what is missing`(
        _ fault: MicrosoftTestServer.Fault,
        _ words: String
    ) async throws {
        let bench = try Bench()
        // The first request goes to InvokeCommand.
        bench.server.state.withLock { state in
            state.documented.refuseAll(403)
            state.faults = [fault]
        }
        let error = await #expect(throws: OnlineError.self) { _ = try await bench.load() }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func `a missing mailbox is named`() async throws {
        let bench = try Bench(ExchangeOrganization())
        let error = await #expect(throws: OnlineError.self) { _ = try await bench.load() }
        #expect(error?.description.contains("'sales@contoso.example' couldn't be found") == true)
    }

    // MARK: - Tokens

    @Test func `a certificate replaces the secret`() async throws {
        let bench = try Bench()
        let key = try RSAKeyPair(in: bench.folder, name: "application")
        let pem = try String(
            contentsOf: bench.folder.appendingPathComponent("server.pem"),
            encoding: .utf8
        )
        let certificate = try ClientCertificate(
            certificatePEM: pem,
            keyPEM: key.pem
        )
        let audience =
            "https://localhost:\(bench.server.port)/\(MicrosoftTestServer.tenant)/oauth2/v2.0/token"
        bench.server.state.withLock { state in
            state.isAssertionGood = { Self.isGood($0, key: key, audience: audience) }
        }
        let token = try await bench.token(bench.application(proof: .certificate(certificate)))
        #expect(token.hasPrefix("eyJ"))
        let other = try ClientCertificate(
            certificatePEM: pem,
            keyPEM: RSAKeyPair(in: bench.folder, name: "other").pem
        )
        await #expect(throws: OnlineError.self) {
            _ = try await bench.token(bench.application(proof: .certificate(other)))
        }
    }

    /// Header, claims and signature as the documentation requires them.
    private static func isGood(
        _ assertion: String,
        key: RSAKeyPair,
        audience: String
    ) -> Bool {
        func decoded(_ part: Substring) -> Data {
            var text = part.replacingOccurrences(of: "-", with: "+")
                .replacingOccurrences(of: "_", with: "/")
            while text.utf8.count % 4 != 0 { text += "=" }
            return Data(base64Encoded: text) ?? Data()
        }
        let parts = assertion.split(separator: ".")
        guard parts.count == 3,
            let header = try? JSONSerialization.jsonObject(with: decoded(parts[0]))
                as? [String: String],
            let claims = try? JSONSerialization.jsonObject(with: decoded(parts[1]))
                as? [String: Any]
        else { return false }
        let expires = claims["exp"] as? Int ?? 0
        let begins = claims["nbf"] as? Int ?? 0
        return header["alg"] == "PS256" && header["x5t#S256"]?.utf8.count == 43
            && claims["aud"] as? String == audience
            && claims["iss"] as? String == MicrosoftTestServer.application
            && claims["sub"] as? String == MicrosoftTestServer.application
            && claims["jti"] is String && expires > begins && expires - begins <= 600
            && key.hasSigned("\(parts[0]).\(parts[1])", signature: decoded(parts[2]))
    }

    @Test func `concurrent requests share one token fetch`() async throws {
        let bench = try Bench()
        let tokens = TokenSource(bench.application())
        let values = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await tokens.token().value } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(values.count == 1)
        #expect(bench.server.state.withLock(\.tokenRequests) == 1)
        let value = try #require(values.first)
        tokens.forget(value)
        #expect(try await tokens.token().value == value)
        tokens.forget(value, at: Date().addingTimeInterval(120))
        #expect(try await tokens.token().value != values.first)
        tokens.shutdown()
    }

    @Test func `a token is renewed before it expires`() async throws {
        let bench = try Bench()
        bench.server.state.withLock { $0.tokenSeconds = 3_600 }
        let tokens = TokenSource(bench.application())
        let first = try await tokens.token().value
        #expect(try await tokens.token().value == first)
        #expect(tokens.current(at: Date().addingTimeInterval(3_200))?.value == first)
        #expect(tokens.current(at: Date().addingTimeInterval(3_400)) == nil)
        tokens.shutdown()
    }

    @Test(arguments: [
        ("client", "has no application client: check exchange.application"),
        ("tenant", "there is no tenant elsewhere"),
        ("secret", "write its value, not its id"),
        ("expired", "the client secret has expired"),
        ("other", "AADSTS50034"),
        ("html", "HTTP 502"),
        ("down", "cannot be reached"),
    ])
    func `a refused token is explained by its error number`(
        _ kind: String,
        _ words: String
    ) async throws {
        let bench = try Bench()
        func fault(_ status: Int, _ body: String) {
            bench.server.state.withLock {
                $0.tokenFaults = [.status(status, headers: [:], body: body)]
            }
        }
        var application = bench.application()
        switch kind {
        case "client": application = bench.application(clientID: "client")
        case "tenant": application = bench.application(tenant: "elsewhere")
        case "secret": application = bench.application(proof: .secret("wrong & more"))
        case "expired": fault(401, #"{"error":"invalid_client","error_codes":[7000222]}"#)
        case "other": fault(400, #"{"error":"invalid_grant","error_codes":[50034]}"#)
        case "html": fault(502, "<html>")
        default: application.loginURL = "https://localhost:1"
        }
        let error = await #expect(throws: OnlineError.self) {
            _ = try await bench.token(application)
        }
        let text = error?.description ?? ""
        #expect(text.contains(words), "\(text)")
        #expect(!text.contains("Trace ID") && !text.contains("wrong & more"))
    }
}
