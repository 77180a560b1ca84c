import Access
import Foundation
import Testing

@testable import Store
@testable import gatepost

/// The commands that take rights back: `grant remove --folder`, `user leave`, and the lists of what
/// is left.
@Suite struct LeavingTests {
    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"

    @Test func `a grant on one folder is removed, and those on others stay`() async throws {
        let bench = try await CommandBench.furnished()
        try await bench.run(lines: [
            "grant add \(Self.bob) \(Self.anna) --view --folder Akten --no-check",
            "grant add \(Self.bob) \(Self.anna) --view --folder Akten/Alt --no-check",
            "grant remove \(Self.bob) \(Self.anna) --folder Akten",
        ])
        let left = try bench.store().grants(account: Self.bob, subject: nil)
        #expect(left.map(\.folder) == ["Akten/Alt"])
        let none = await bench.refusal(
            of: "grant remove \(Self.bob) \(Self.anna) --folder Akten --send"
        )
        #expect(none.contains("no such grant on the folder Akten"))
        let wrong = await bench.refusal(of: "grant remove \(Self.bob) \(Self.anna) --folder A//B")
        #expect(wrong.contains("cannot be a folder"))
    }

    @Test func `a folder of an Exchange account is changed in Exchange`() async throws {
        let bench = try await CommandBench.furnished()
        try await bench.run("account add x@kanzlei.example --kind exchange --imap mail.example")
        let said = await bench.refusal(
            of: "grant remove x@kanzlei.example \(Self.anna) --folder Akten"
        )
        #expect(said.contains("is an Exchange account") && said.contains("permissions load"))
    }

    @Test func `a person leaves once that is confirmed, and not in a dry run`() async throws {
        let bench = try await CommandBench.furnished()
        try await bench.run(lines: [
            "group add Team", "group join Team \(Self.anna)",
            "grant add \(Self.bob) \(Self.anna) --view",
            "user set \(Self.anna) --role settings",
            "user leave \(Self.anna) --successor \(Self.bob) --dry-run",
        ])
        #expect(try !bench.store().user(Self.anna).disabled)
        let unsure = await bench.refusal(of: "user leave \(Self.anna)")
        #expect(unsure.contains("--yes"))
        let mixed = await bench.refusal(of: "user leave \(Self.anna) --json")
        #expect(mixed.contains("--json needs --yes or --dry-run"))
        #expect(try bench.store().account(Self.anna).owner == Self.anna)
        try await bench.run("user leave \(Self.anna) --successor \(Self.bob) --yes --json")
        let store = try bench.store()
        #expect(try store.user(Self.anna).disabled && store.user(Self.anna).role == nil)
        #expect(try store.account(Self.anna).owner == Self.bob)
        #expect(try store.group("Team").members.isEmpty)
        #expect(try store.grants(account: nil, subject: Self.anna).isEmpty)
        let unknown = await bench.refusal(of: "user leave nobody@x.example --yes")
        #expect(unknown.contains("no user nobody@x.example"))
    }

    @Test func `the table says what becomes of each thing`() {
        let wall = WallRow(
            account: "info",
            subject: "group:Team",
            reason: "Mandat",
            author: "root",
            created: 0
        )
        let departure = UserDeparture(
            login: "anna",
            successor: nil,
            accounts: ["a"],
            grants: [
                OrphanRowsTests.grant(1, on: "info", to: "anna", folder: "Akten", subtree: true),
                OrphanRowsTests.grant(2, on: "sales", to: "anna", source: "exchange"),
            ],
            groups: ["Listed", "Team"],
            directoryGroups: ["Listed"],
            appPasswords: ["Phone"],
            role: "settings",
            osUser: "anna",
            wasDisabled: false,
            walls: [wall],
            withdrawals: []
        )
        #expect(
            departure.cells == [
                ["user", "anna", "is disabled"], ["account", "a", "has no owner"],
                ["grant", "info Akten/…", "removed"],
                ["grant", "sales", "removed; Exchange still has it"],
                ["group", "Listed", "left; the directory may list the user again"],
                ["group", "Team", "left"], ["app password", "Phone", "revoked"],
                ["role", "settings", "removed"], ["OS user", "anna", "removed"],
                ["wall", "info", "stays, no longer through group:Team"],
            ]
        )
    }

    @Test(arguments: ["--json", "--days 30", "--days 1 --json", ""])
    func `orphans and transfers are listed without a gateway`(options: String) async throws {
        let bench = try await CommandBench.furnished()
        try await bench.run("user disable \(Self.anna)")
        try await bench.run("report orphans \(options)")
        try await bench.run("report")
        try await bench.run("transfer list \(options.contains("json") ? "--json" : "")")
    }

    @Test(arguments: ["0", "-1", "36501"])
    func `days are a time`(days: String) async throws {
        let bench = try await CommandBench.furnished()
        let said = await bench.refusal(of: "report orphans --days=\(days)")
        #expect(said.contains("--days must be 1 to 36500"), "\(said)")
    }
}
