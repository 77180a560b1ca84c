import Access
import ArgumentParser
import Foundation
import Store
import Support
import Testing

@testable import gatepost

/// Commands that change the store, and what is in it then.
@Suite struct CommandRunTests {
    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"

    private static func furnished() async throws -> CommandBench {
        try await CommandBench.furnished()
    }

    @Test func `a user is added with what is named, and once`() async throws {
        let bench = try await Self.furnished()
        let password = bench.folder.path("password")
        try await bench.run(
            "user add Clara@Kanzlei.example --name Clara_C. --role settings --os-user clara "
                + "--password-file \(password)"
        )
        let user = try bench.store().user("clara@kanzlei.example")
        #expect(user.login == "clara@kanzlei.example" && user.name == "Clara C.")
        #expect(user.role == "settings" && user.osUser == "clara" && !user.disabled)
        let again = await bench.refusal(of: "user add \(Self.anna) --password-file \(password)")
        #expect(again.contains("exists"), "\(again)")
        try bench.store().verify("pw", of: "clara@kanzlei.example")
        #expect(throws: StoreError.self) {
            try bench.store().verify("pw\nsecond line", of: "clara@kanzlei.example")
        }
    }

    @Test func `a user is disabled, enabled, given another password, and removed`() async throws {
        let bench = try await Self.furnished()
        try await bench.run("user disable \(Self.anna)")
        #expect(try bench.store().user(Self.anna).disabled)
        try await bench.run("user enable \(Self.anna)")
        #expect(try !bench.store().user(Self.anna).disabled)
        let file = try bench.folder.write("another", as: "other")
        try await bench.run("user password \(Self.anna) --password-file \(file)")
        try bench.store().verify("another", of: Self.anna)
        try await bench.run("account remove \(Self.anna) --yes")
        try await bench.run("user remove \(Self.anna) --yes")
        #expect(try bench.store().users().map(\.login) == [Self.bob])
    }

    @Test(arguments: ["show", "disable", "enable", "remove --yes", "set --role none"])
    func `a user who is not there is named, with how to add one`(command: String) async throws {
        let bench = try await Self.furnished()
        let words = command.split(separator: " ", maxSplits: 1)
        let rest = words.count > 1 ? " \(words[1])" : ""
        let said = await bench.refusal(of: "user \(words[0]) nobody@x.example\(rest)")
        #expect(said.contains("nobody@x.example"), "\(said)")
    }

    @Test(arguments: [("administrator", "administrator"), ("settings", "settings"), ("none", nil)])
    func `a role is given and taken`(role: String, stored: String?) async throws {
        let bench = try await Self.furnished()
        try await bench.run("user set \(Self.anna) --role \(role) --os-user anna")
        let user = try bench.store().user(Self.anna)
        #expect(user.role == stored && user.osUser == "anna")
        try await bench.run("user set \(Self.anna) --os-user none")
        #expect(try bench.store().user(Self.anna).osUser == nil)
        #expect(try bench.store().user(Self.anna).role == stored)
    }

    @Test func `groups have members, and none is inside itself`() async throws {
        let bench = try await Self.furnished()
        try await bench.run(lines: [
            "group add Team", "group add Empfang", "group join Team \(Self.anna) group:Empfang",
            "group join Empfang \(Self.bob)",
        ])
        #expect(try Set(bench.store().group("Team").members) == [Self.anna, "group:Empfang"])
        let circle = await bench.refusal(of: "group join Empfang group:Team")
        #expect(circle.contains("cannot be inside itself"), "\(circle)")
        try await bench.run("group leave Team \(Self.anna)")
        #expect(try bench.store().group("Team").members == ["group:Empfang"])
        try await bench.run("group remove Team --yes")
        #expect(try bench.store().groups().map(\.name) == ["Empfang"])
    }

    /// Options, and what the grant has: rights, send, folder, subtree.
    @Test(
        arguments: [
            ("--view", "lr", "none", nil, false), ("--edit", "lrswite", "none", nil, false),
            ("--manage", "lrswipkxte", "none", nil, false),
            ("--rights lrs", "lrs", "none", nil, false),
            ("--send as", "", "as", nil, false),
            ("--view --send on-behalf", "lr", "on-behalf", nil, false),
            ("--view --folder Akten --no-check", "lr", "none", "Akten", false),
            ("--view --folder Akten/Alt --subtree --no-check", "lr", "none", "Akten/Alt", true),
        ] as [(String, String, String, String?, Bool)]
    )
    func `a grant is what its options say`(
        options: String,
        rights: String,
        send: String,
        folder: String?,
        subtree: Bool
    ) async throws {
        let bench = try await Self.furnished()
        try await bench.run("grant add \(Self.bob) \(Self.anna) \(options) --reason a_reason")
        let grants = try bench.store().grants(account: Self.bob, subject: nil)
        let grant = try #require(grants.first)
        #expect(grants.count == 1)
        #expect(Set(grant.rights) == Set(rights) && grant.send == send)
        #expect(grant.folder == folder && grant.subtree == subtree)
        #expect(grant.subject == Self.anna && grant.reason == "a reason" && grant.confirmed)
        try await bench.run("grant remove \(Self.bob) \(Self.anna)")
        #expect(try bench.store().grants(account: Self.bob, subject: nil) == [])
    }

    @Test func `one side of a grant goes, and the other stays`() async throws {
        let bench = try await Self.furnished()
        try await bench.run("grant add \(Self.bob) \(Self.anna) --view --send as")
        try await bench.run("grant remove \(Self.bob) \(Self.anna) --send")
        let viewing = try #require(try bench.store().grants(account: Self.bob, subject: nil).first)
        #expect(viewing.rights == "lr" && viewing.send == "none")
        try await bench.run("grant add \(Self.bob) \(Self.anna) --send as")
        try await bench.run("grant remove \(Self.bob) \(Self.anna) --view")
        let sending = try bench.store().grants(account: Self.bob, subject: nil)
        #expect(sending.allSatisfy { $0.rights.isEmpty } && sending.map(\.send) == ["as"])
    }

    @Test func `an end of a grant is the end of its day`() async throws {
        let bench = try await Self.furnished()
        try await bench.run("grant add \(Self.bob) \(Self.anna) --view --until 2100-01-01")
        let grant = try #require(try bench.store().grants(account: Self.bob, subject: nil).first)
        #expect(grant.until == 4_102_531_200)
        let wrong = await bench.refusal(
            of: "grant add \(Self.bob) \(Self.anna) --view --until soon"
        )
        #expect(wrong.contains("YYYY-MM-DD"))
    }

    @Test func `a wall has its reason and ends with its removal`() async throws {
        let bench = try await Self.furnished()
        try await bench.run("wall add \(Self.bob) \(Self.anna) --reason mandate_12")
        #expect(try bench.store().walls().map(\.reason) == ["mandate 12"])
        try await bench.run("grant add \(Self.bob) \(Self.anna) --view")
        let access = try bench.store().load().access
        let login = try #require(Address(Array(Self.anna.utf8)))
        let address = try #require(Address(Array(Self.bob.utf8)))
        let user = try #require(access.user(login: login))
        let account = try #require(access.account(address: address))
        #expect(!access.access(of: user.id, to: account.id, at: .current).isVisible)
        try await bench.run("wall remove \(Self.bob) \(Self.anna) --yes")
        #expect(try bench.store().walls().isEmpty)
        let after = try bench.store().load().access
        #expect(after.access(of: user.id, to: account.id, at: .current).isVisible)
    }

    @Test func `an account keeps what is not named`() async throws {
        let bench = try await Self.furnished()
        try await bench.run(
            "account set \(Self.bob) --imap other.example:1143 --alias b@kanzlei.example "
                + "--username bobby --sent-copy both"
        )
        let account = try bench.store().account(Self.bob)
        #expect(account.imap.host == "other.example" && account.imap.port == 1_143)
        #expect(account.imap.tls == "implicit" && account.owner == Self.bob)
        #expect(account.aliases == ["b@kanzlei.example"] && account.username == "bobby")
        #expect(account.hasCredential)
        try await bench.run("account set b@kanzlei.example --tls starttls --imap other.example")
        let changed = try bench.store().account(Self.bob)
        #expect(changed.imap.tls == "starttls" && changed.imap.port == 143)
        #expect(changed.aliases == ["b@kanzlei.example"])
    }

    @Test(arguments: ["0", "65536", "x"])
    func `a server with a port that is none is refused`(port: String) async throws {
        let bench = try await Self.furnished()
        let said = await bench.refusal(of: "account set \(Self.bob) --imap a.example:\(port)")
        #expect(said.contains("is no server") || said.contains("is no port"), "\(said)")
        #expect(try bench.store().account(Self.bob).imap.host == "mail.example")
    }

    @Test(arguments: [
        "user list", "user list --json", "group list", "group list --json", "account list",
        "account list --json", "grant list", "grant list --json", "grant list --withdrawn",
        "grant list --withdrawn --json", "wall list", "audit list", "audit list --json", "report",
        "report --json", "audit verify", "audit verify --json", "export",
        "user show anna@kanzlei.example", "user show anna@kanzlei.example --json",
        "account show bob@kanzlei.example", "account show bob@kanzlei.example --json",
        "explain anna@kanzlei.example bob@kanzlei.example",
        "explain anna@kanzlei.example bob@kanzlei.example --json",
        "explain anna@kanzlei.example bob@kanzlei.example --folder INBOX",
    ])
    func `what only looks changes nothing`(line: String) async throws {
        let bench = try await Self.furnished()
        try await bench.run("grant add \(Self.bob) \(Self.anna) --view --send as")
        let before = try (bench.store().revision(), bench.store().auditEntries().count)
        try await bench.run(line)
        let after = try (bench.store().revision(), bench.store().auditEntries().count)
        #expect(before == after)
    }

    @Test func `a document that is exported and applied changes nothing`() async throws {
        let bench = try await Self.furnished()
        try await bench.run("group add Team")
        try await bench.run("grant add \(Self.bob) group:Team --view --folder A --no-check")
        let file = bench.folder.path("model.json")
        try await bench.run("export \(file)")
        let before = try Data(contentsOf: URL(fileURLWithPath: file))
        let again = await bench.refusal(of: "export \(file)")
        #expect(again.contains("cannot write \(file), or it exists: name a new file"))
        let revision = try bench.store().revision()
        try await bench.run("apply \(file) --yes")
        #expect(try bench.store().revision() == revision)
        let second = bench.folder.path("second.json")
        try await bench.run("export \(second)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: second)) == before)
        #expect(!String(decoding: before, as: UTF8.self).contains("pw"))
    }

    @Test func `each change is recorded with who made it`() async throws {
        let bench = try await Self.furnished()
        let records = try bench.store().auditEntries().map(\.record)
        #expect(records.count >= 4)
        #expect(records.allSatisfy { $0.event == "change" && $0.from == "command line" })
        let actor = Actor.current.recorded
        #expect(records.allSatisfy { $0.actor == actor })
        let text = records.flatMap { $0.detail ?? [] }.joined()
        #expect(!text.contains("pw"), "a password is recorded")
    }

    @Test func `a configuration that is not there is named`() async {
        for line in ["user list", "serve", "doctor"] {
            let words = line.split(separator: " ").map(String.init)
            let error = await #expect(throws: Failure.self) {
                var command = try GatepostCommand.parseAsRoot(
                    words + ["--config", "/nowhere/gatepost.yaml"]
                )
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            }
            #expect(error?.description.contains("/nowhere/gatepost.yaml") == true, "\(line)")
        }
    }

    @Test func `a store that is not there is not made`() async throws {
        let bench = try CommandBench()
        let path = bench.folder.path("office/gatepost.sqlite")
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: path + suffix)
        }
        _ = await bench.refusal(of: "user list")
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
