import Access
import Demo
import Exchange
import Foundation
import Synchronization
import Testing

@testable import gatepost

/// The two interfaces of Exchange: which one provides what, and the outcome of a load if one of
/// them does not answer, or answers as documented with a delay.
@Suite struct ExchangeInterfacesTests {
    private typealias Bench = ExchangeOnlineTests.Bench

    private static let documented = "answered by the Admin API v2.0"
    private static let command = "answered by InvokeCommand, because the Admin API v2.0"

    /// The notes on which interface answered.
    private func answers(_ document: PermissionsDocument) -> [String] {
        document.notes.filter { $0.contains(": answered by ") }
    }

    /// Loads, and expects everything that Exchange has.
    private func whole(
        _ bench: Bench,
        after seconds: TimeInterval = 0
    ) async throws -> PermissionsDocument {
        let document = try await bench.load(after: seconds)
        #expect(try ExchangeOnlineTests.lines(document) == ExchangeOnlineTests.expected)
        return document
    }

    private func failure(_ bench: Bench) async throws -> String {
        let error = await #expect(throws: OnlineError.self) { _ = try await bench.load() }
        return error?.description ?? ""
    }

    @Test func `each interface is asked for its part, and the report says so`() async throws {
        let bench = try Bench()
        let document = try await self.whole(bench)
        #expect(
            self.answers(document) == [
                "FullAccess, Send As, the list of folders, the directory: \(Self.command) does not have "
                    + "it",
                "Send on Behalf, folder permissions, group members: \(Self.documented)",
            ]
        )
        let state = bench.server.state.withLock { $0 }
        #expect(
            Array(state.documented.commands.prefix(3)) == [
                "Mailbox Get-Mailbox sales@contoso.example",
                #"MailboxFolderPermission Get-MailboxFolderPermission sales@contoso.example:\Posteingang"#,
                "MailboxFolderPermission Get-MailboxFolderPermission "
                    + "sales@contoso.example:\\Posteingang\\A\u{F8FF}B",
            ]
        )
        #expect(
            state.documented.commands.dropFirst(3).map { $0.prefix { $0 != " " } } == [
                "DistributionGroupMember", "DistributionGroupMember",
            ]
        )
        let names = state.commands.map { $0.prefix { $0 != " " } }
        #expect(
            Set(names).subtracting(
                state.documented.commands.map { $0.split(separator: " ")[1] }
            ) == [
                "Get-MailboxPermission", "Get-RecipientPermission", "Get-MailboxFolderStatistics",
                "Get-Recipient", "Get-User", "Get-Group", "Get-ServicePrincipal",
            ]
        )
        #expect(state.tokenRequests == 1)
    }

    // MARK: - One of the two refuses

    @Test(arguments: [
        (401, "", "has no application permission Exchange.ManageAsAppV2"),
        (403, String(repeating: "\0", count: 4_096), "Exchange role group Recipient Management"),
        (404, "", "it is not offered to this organisation (HTTP 404)"),
        (400, #"{"error":{"code":"BadRequest","message":"In words"}}"#, ": In words"),
        (501, "<html>", "HTTP 501"),
    ])
    func `the other interface is used if the documented one refuses, with a note`(
        _ status: Int,
        _ body: String,
        _ reason: String
    ) async throws {
        let bench = try Bench()
        bench.server.state.withLock { $0.documented.refuseAll(status, body: body) }
        let document = try await self.whole(bench)
        let answers = self.answers(document)
        #expect(answers.count == 4, "\(answers)")
        for topic in ["Send on Behalf", "folder permissions", "group members"] {
            let note = answers.first { $0.hasPrefix("\(topic): \(Self.command) refuses Get-") }
            #expect(note?.contains(reason) == true, "\(answers)")
        }
        #expect(bench.server.state.withLock(\.documented.commands).isEmpty)
    }

    @Test func `a refusal of one endpoint does not affect the others`() async throws {
        let bench = try Bench()
        bench.server.state.withLock { state in
            state.documented.refusals["MailboxFolderPermission"] =
                .status(403, headers: [:], body: "")
        }
        let document = try await self.whole(bench)
        let answers = self.answers(document)
        #expect(answers.contains("Send on Behalf, group members: \(Self.documented)"), "\(answers)")
        #expect(
            answers.contains {
                $0.hasPrefix("folder permissions: \(Self.command) refuses Get-Mailb")
            }
        )
    }

    @Test(arguments: [
        (401, "give it the application permission Exchange.ManageAsApp on"),
        (403, "the application may not run Get-MailboxPermission"),
    ])
    func `a load fails without InvokeCommand, because denials may be missing`(
        _ status: Int,
        _ words: String
    ) async throws {
        let bench = try Bench()
        bench.server.state.withLock { state in
            state.faults = Array(
                repeating: .status(status, headers: [:], body: ""),
                count: 20
            )
        }
        let text = try await self.failure(bench)
        #expect(text.contains(words), "\(text)")
        #expect(text.contains("or load an export: gatepost permissions export-script"), "\(text)")
        #expect(!bench.server.state.withLock(\.documented.commands).isEmpty)
    }

    @Test func `both reasons are reported if both interfaces refuse`() async throws {
        let bench = try Bench()
        bench.server.state.withLock { state in
            state.documented.refuseAll(401)
            state.faults = [.status(403, headers: [:], body: "")]
        }
        let text = try await self.failure(bench)
        #expect(text.contains("may not run Get-Mailbox: give it the Entra role"), "\(text)")
        #expect(text.contains("the Admin API v2.0 refused: the application has no"), "\(text)")
    }

    // MARK: - Pages

    @Test func `all pages are read`() async throws {
        let bench = try Bench()
        bench.server.state.withLock { $0.documented.pageRows = 1 }
        let document = try await self.whole(bench)
        #expect(self.answers(document).count == 2)
        let commands = bench.server.state.withLock(\.documented.commands)
        #expect(commands.filter { $0.hasSuffix(":\\Posteingang") }.count == 3, "\(commands)")
    }

    @Test(arguments: [
        "https://127.0.0.1:PORT", "http://localhost:PORT", "https://localhost.evil.example:PORT",
        "https://localhost:PORT@evil.example", "https://user@localhost:PORT", "//evil.example",
        "https://localhost:1", "mailto:", "https://localhost:PORT/elsewhere",
    ])
    func `a link to another server is not followed`(
        _ server: String
    ) async throws {
        let bench = try Bench()
        let name = server.replacing("PORT", with: "\(bench.server.port)")
        bench.server.state.withLock { state in
            state.documented.pageRows = 1
            state.documented.pageServer = name
        }
        let document = try await self.whole(bench)
        #expect(
            self.answers(document).contains {
                $0.hasPrefix("folder permissions: ")
                    && $0.hasSuffix("its next page is on another server")
            },
            "\(document.notes)"
        )
        let commands = bench.server.state.withLock(\.documented.commands)
        #expect(commands.count { $0.hasPrefix("MailboxFolderPermission") } == 1, "\(commands)")
    }

    @Test func `an expired link restarts the list once, then the other interface is used`()
        async throws
    {
        let bench = try Bench()
        bench.server.state.withLock { state in
            state.documented.pageRows = 2
            state.documented.expirations = 1
        }
        #expect(self.answers(try await self.whole(bench)).count == 2)
        bench.server.state.withLock { $0.documented.expirations = 2 }
        let answers = self.answers(try await self.whole(bench))
        #expect(answers.contains { $0.contains("links to further pages expire before they are") })
    }

    @Test func `the other interface is used if pages do not end`() async throws {
        let bench = try Bench()
        bench.server.state.withLock { state in
            state.documented.pageRows = 2
            state.documented.hasEndlessPages = true
        }
        let answers = self.answers(try await self.whole(bench))
        #expect(answers.contains { $0.contains("its pages do not end") }, "\(answers)")
    }

    @Test(arguments: [
        (
            MicrosoftTestServer.Fault.warning,
            "Get-Mailbox may be incomplete: The object is corrupted."
        ),
        (.nextLink, "Get-Mailbox returned a next page that is not a link"),
        (
            .status(200, headers: [:], body: "<html>"),
            "Get-Mailbox returned something that is not a list"
        ),
        (.status(200, headers: [:], body: #"{"value":{}}"#), "something that is not a list"),
        (
            .status(302, headers: ["Location": "https://evil.example/adminapi"], body: ""),
            "redirects to evil.example (HTTP 302), which must not get the application's token"
        ),
        (.status(307, headers: [:], body: ""), "to another server (HTTP 307)"),
        (.status(429, headers: ["Retry-After": "3600"], body: ""), "Exchange is busy (HTTP 429)"),
    ])
    func `an incomplete answer of the documented interface is not used`(
        _ fault: MicrosoftTestServer.Fault,
        _ words: String
    ) async throws {
        let bench = try Bench()
        bench.server.state.withLock { $0.documented.faults = [fault] }
        let text = try await self.failure(bench)
        #expect(text.contains(words), "\(text)")
        #expect(bench.server.state.withLock(\.times).isEmpty)
    }

    // MARK: - Busy servers and old tokens

    @Test func `a busy documented interface is asked again`()
        async throws
    {
        let bench = try Bench()
        bench.server.state.withLock { state in
            state.documented.faults = [
                .status(429, headers: ["Retry-After": "0"], body: ""),
                .status(
                    503,
                    headers: ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"],
                    body: #"{"error":{"code":"MailboxInfoStale"}}"#
                ),
                .status(
                    400,
                    headers: ["Retry-After": "0"],
                    body: #"{"error":{"details":[{"code":"ServerBusyException"}]}}"#
                ),
            ]
        }
        #expect(self.answers(try await self.whole(bench)).count == 2)
    }

    @Test func `a token that expired during a load is renewed once`() async throws {
        let bench = try Bench()
        bench.server.state.withLock { $0.documented.faults = [.revocation] }
        #expect(self.answers(try await self.whole(bench, after: 120)).count == 2)
        #expect(bench.server.state.withLock(\.tokenRequests) == 2)
        bench.server.state.withLock { state in
            state.tokenRequests = 0
            state.faults = [.revocation]
        }
        #expect(self.answers(try await self.whole(bench, after: 120)).count == 2)
        #expect(bench.server.state.withLock(\.tokenRequests) == 2)
        // A new token that is refused lacks a permission.
        bench.server.state.withLock { state in
            state.tokenRequests = 0
            state.documented.refuseAll(401)
        }
        #expect(self.answers(try await self.whole(bench)).count == 4)
        #expect(bench.server.state.withLock(\.tokenRequests) == 1)
    }

    // MARK: - Folders, groups, columns

    @Test func `a folder with a backslash in its name is requested by its id`() async throws {
        var organization = Bench.organization
        organization.mailboxes[0].folders.append(
            .init(
                path: #"cases/github\office"#,
                type: "User Created",
                entries: [("Kim Akers", ["Reviewer"])]
            )
        )
        let bench = try Bench(organization)
        let document = try await bench.load()
        #expect(
            try ExchangeOnlineTests.lines(document)
                == (ExchangeOnlineTests.expected
                + [#"kim@contoso.example lr none cases/github\office -"#]).sorted()
        )
        #expect(
            self.answers(document).contains {
                $0.hasPrefix(
                    "folder permissions: \(Self.command) names folders by paths, which are not certain"
                )
            },
            "\(document.notes)"
        )
    }

    @Test func `a folder that shares its path with another is requested by its id`() async throws {
        var organization = Bench.organization
        organization.mailboxes[0].folders += [
            .init(
                path: #"cases/github\office"#,
                type: "User Created",
                entries: [("Kim Akers", ["Reviewer"])]
            ), .init(path: "cases/github/office", type: "User Created"),
        ]
        let bench = try Bench(organization)
        #expect(
            try ExchangeOnlineTests.lines(try await bench.load()).filter { $0.contains("cases") }
                == [#"kim@contoso.example lr none cases/github\office -"#]
        )
        let commands = bench.server.state.withLock(\.documented.commands)
        #expect(!commands.contains { $0.contains("cases") }, "\(commands)")
    }

    @Test func `an answer about another folder gives no rights`() async throws {
        var organization = Bench.organization
        organization.mailboxes[0].folders[0].shownName = "Inbox"
        let document = try await Bench(organization).load()
        #expect(
            try ExchangeOnlineTests.lines(document)
                == ExchangeOnlineTests.expected.filter { !$0.contains("INBOX") }
        )
        #expect(
            document.notes.contains {
                $0.hasSuffix("its entries are left out, because Exchange answered about Inbox")
            },
            "\(document.notes)"
        )
    }

    @Test func `members of dynamic groups are requested by the group's address`() async throws {
        var organization = Bench.organization
        organization.groups.append(
            .init(
                name: "Everybody",
                address: "all@contoso.example",
                type: "DynamicDistributionGroup",
                members: ["lee@contoso.example"]
            )
        )
        organization.mailboxes[0].sendOnBehalf = ["Everybody"]
        let bench = try Bench(organization)
        let imported = try ExchangeOnlineTests.imported(try await bench.load())
        #expect(
            imported.entries.filter { $0.send == "on-behalf" }.map { [$0.login, $0.via] }
                == [["lee@contoso.example", "Everybody"]]
        )
        #expect(
            bench.server.state.withLock(\.documented.commands).contains(
                "DynamicDistributionGroupMember Get-DynamicDistributionGroupMember all@contoso.example"
            )
        )
    }

    @Test func `missing columns of the documented interface come from the other one`()
        async throws
    {
        let bench = try Bench()
        bench.server.state.withLock {
            $0.documented.missingColumns = ["EmailAddresses", "Identity", "Guid"]
        }
        let document = try await self.whole(bench)
        let answers = self.answers(document)
        #expect(
            answers.contains(
                "Send on Behalf: \(Self.command) leaves Identity, EmailAddresses out"
            ),
            "\(answers)"
        )
        #expect(
            answers.contains(
                "Send on Behalf, folder permissions, group members: \(Self.documented)"
            )
        )
    }
}
