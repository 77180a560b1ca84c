import Access
import ArgumentParser
import Foundation
import Gateway
import Store
import Support
import Testing

@testable import gatepost

/// `gatepost user import`: its rows, and what is in the store then.
@Suite struct UserImportTests {
    private static let clara = "clara@kanzlei.example"
    private static let dora = "dora@kanzlei.example"

    @Test func `a row has its own settings before those of the options`() throws {
        var maker = UserImportEntries(
            defaults: UserImportAccount(
                imap: "mail.example",
                smtp: "mx.example",
                username: "{user}"
            )
        )
        var row = UserImportRow(line: 2, login: "Clara@Kanzlei.example")
        let usual = try #require(try maker.entry(of: row).account)
        #expect(usual.imap == Endpoint(host: "mail.example", port: 993, tls: .implicit))
        #expect(usual.smtp == Endpoint(host: "mx.example", port: 465, tls: .implicit))
        #expect(usual.username == "clara" && usual.caFile == nil)
        row.account = UserImportAccount(imap: "[::1]", tls: "starttls", username: "{user}")
        let own = try #require(try maker.entry(of: row).account)
        #expect(own.imap == Endpoint(host: "::1", port: 143, tls: .starttls))
        #expect(own.smtp?.port == 587 && own.username == "{user}")
        var plain = UserImportEntries(defaults: UserImportAccount())
        row.account = UserImportAccount()
        #expect(try plain.entry(of: row) == UserImportEntry("Clara@Kanzlei.example"))
    }

    @Test(
        arguments: [
            (UserImportAccount(smtp: "m.example"), "needs imap"),
            (UserImportAccount(imap: "m.example", tls: "TLS"), "implicit, starttls or none"),
            (UserImportAccount(imap: "m.example:x"), "is no port"),
            (UserImportAccount(imap: "m.example", smtp: "a:b:c"), "is not a server"),
            (UserImportAccount(imap: "m.example", ca: "/nowhere/ca.pem"), "cannot read /nowhere"),
        ] as [(UserImportAccount, String)]
    )
    func `a row with a wrong value has a reason`(account: UserImportAccount, reason: String) {
        var maker = UserImportEntries(defaults: UserImportAccount())
        let row = UserImportRow(line: 2, login: Self.clara, account: account)
        let error = #expect(throws: Failure.self) { try maker.entry(of: row) }
        #expect(error?.description.contains(reason) == true, "\(error as Any)")
    }

    @Test(
        arguments: [
            ("{user}", "clara"), ("{login}", clara), ("KANZLEI\\{user}", "KANZLEI\\clara"),
            ("{login}*{user}*master", "\(clara)*clara*master"), ("", ""), ("fixed", "fixed"),
            ("{name}", nil), ("{user", nil), ("user}", nil), ("{{user}}", nil),
        ] as [(String, String?)]
    )
    func `a template of user names`(text: String, name: String?) {
        #expect(UsernameTemplate(text)?.text(for: Self.clara) == name)
    }

    @Test func `a brace in a login is no placeholder`() {
        #expect(UsernameTemplate("{login} {user}")?.text(for: "{user}@x") == "{user}@x {user}")
        #expect(UsernameTemplate("{user}")?.text(for: "clara") == "clara")
    }

    // MARK: - The command

    @Test func `rows become users with accounts, and those that fail stop nobody`() async throws {
        let bench = try await CommandBench.furnished()
        let file = try bench.folder.write(
            """
            login,name,imap,tls
            Clara@Kanzlei.example,"Clara ""C."" Mitte",m.example:1993,
            anna@kanzlei.example,,m.example,
            with space,,m.example,
            dora@kanzlei.example,Dora,,
            emil@kanzlei.example,,m.example,none
            frida@kanzlei.example,,"m example",
            clara@kanzlei.example,,,

            """,
            as: "users.csv"
        )
        let said = await bench.refusal(of: "user import \(file)")
        #expect(said.contains("3 of 7 rows failed"), "\(said)")
        let store = try bench.store()
        #expect(
            try store.users().map(\.login)
                == ["anna@kanzlei.example", "bob@kanzlei.example", Self.clara, Self.dora]
        )
        #expect(try store.user(Self.clara).name == "Clara \"C.\" Mitte")
        let account = try store.account(Self.clara)
        #expect(account.owner == Self.clara && account.kind == "imap")
        #expect(account.imap.host == "m.example" && account.imap.port == 1_993)
        #expect(account.username == Self.clara && account.smtp == nil && !account.hasCredential)
        #expect(throws: StoreError.self) { try store.account(Self.dora) }
        #expect(throws: StoreError.self) { try store.verify("", of: Self.clara) }
    }

    @Test func `a dry run and a repetition change nothing`() async throws {
        let bench = try await CommandBench.furnished()
        let file = try bench.folder.write("login\n\(Self.clara)\n\(Self.dora)", as: "users.csv")
        let before = try (bench.store().revision(), bench.store().auditEntries().count)
        let line = "user import \(file) --imap m.example --username {user}"
        try await bench.run("\(line) --dry-run")
        let after = try (bench.store().revision(), bench.store().auditEntries().count)
        #expect(before == after)
        try await bench.run(line)
        #expect(try bench.store().account(Self.clara).username == "clara")
        let imported = try (bench.store().revision(), bench.store().auditEntries().count)
        #expect(imported.0 == before.0 + 1)
        try await bench.run("\(line) --json")
        let repeated = try (bench.store().revision(), bench.store().auditEntries().count)
        #expect(repeated == imported)
    }

    @Test func `each user has an audit record that names the account`() async throws {
        let bench = try await CommandBench.furnished()
        let file = try bench.folder.write("login\n\(Self.clara)\n\(Self.dora)", as: "users.csv")
        try await bench.run("user import \(file) --imap m.example")
        let records = try bench.store().auditEntries().map(\.record)
        for login in [Self.clara, Self.dora] {
            let found = records.filter { $0.account == login }
            #expect(found.count == 1 && found.first?.event == "change")
            #expect(
                found.first?.detail == [
                    "user add \(login)", "account add \(login)", "kind imap", "owner \(login)",
                    "imap m.example:993 implicit",
                ]
            )
        }
        #expect(records.contains { $0.detail == ["user import", "users 2"] })
    }

    @Test func `an address of another account is left to it`() async throws {
        let bench = try await CommandBench.furnished()
        try await bench.run("account set bob@kanzlei.example --alias \(Self.clara)")
        let entries = [
            UserImportEntry(Self.clara, account: .init(imap: Self.server)),
            UserImportEntry(Self.clara),
        ]
        let store = try bench.store()
        let results = try store.importUsers(entries, dryRun: false, actor: "root")
        #expect(results == [.taken(account: "bob@kanzlei.example"), .added])
        #expect(try store.account(Self.clara).owner == "bob@kanzlei.example")
    }

    private static let server = Endpoint(host: "m.example", port: 993, tls: .implicit)

    @Test func `thousands of users take few transactions, and a dry run sees the same`()
        async throws
    {
        let bench = try await CommandBench.furnished()
        let store = try bench.store()
        let entries = (0..<2_500).map {
            UserImportEntry("u\($0)@kanzlei.example", account: .init(imap: Self.server))
        }
        let mixed = entries + [UserImportEntry("a b"), entries[7]]
        let expected = entries.map { _ in UserImportResult.added }
        let revision = try store.revision()
        let tried = try store.importUsers(mixed, dryRun: true, actor: "root")
        #expect(try store.revision() == revision)
        let results = try store.importUsers(mixed, dryRun: false, actor: "root")
        #expect(tried == results)
        #expect(Array(results.prefix(2_500)) == expected && results.last == .exists)
        #expect(try store.revision() == revision + 3)
        #expect(try store.users().count == 2_502 && store.accounts().count == 2_502)
    }

    @Test(
        arguments: [
            (UserImportEntry("group:x"), "reserved"), (UserImportEntry("anyone"), "reserved"),
            (UserImportEntry(clara, name: "a\0b"), "NUL"),
            (
                UserImportEntry(
                    clara,
                    account: .init(imap: Endpoint(host: "m", port: 0, tls: .implicit))
                ), "is no server"
            ),
            (
                UserImportEntry(
                    clara,
                    account: .init(imap: server, smtp: Endpoint(host: "m", port: 25, tls: .none))
                ), "--tls none"
            ),
            (UserImportEntry(clara, account: .init(imap: server, username: "a\r\nb")), "control"),
        ] as [(UserImportEntry, String)]
    )
    func `an entry against the rules is refused as a whole`(
        entry: UserImportEntry,
        reason: String
    ) async throws {
        let store = try await CommandBench.furnished().store()
        let result = try store.importUsers([entry], dryRun: false, actor: "root").first
        guard case .refused(let text) = result else {
            Issue.record("\(result as Any)")
            return
        }
        #expect(text.contains(reason))
        #expect(try store.users().count == 2)
    }

    @Test(
        arguments: [
            ("user import", "name a file or use --ldap"),
            ("user import x.csv --ldap (mail=*)", "and not both"),
            ("user import x.csv --tls ssl", "--tls must be implicit"),
            ("user import x.csv --username {name}", "--username knows {login} and {user}"),
            ("user import --ldap mail=*", "is not valid"),
            ("user import --ldap (mail={login})", "without placeholders"),
            ("user import --ldap (mail=*)", "no directory is configured"),
            ("user import /nowhere/x.csv", "cannot read /nowhere/x.csv"),
        ] as [(String, String)]
    )
    func `a line without a usable source is refused`(line: String, reason: String) async throws {
        let said = try await CommandBench.furnished().refusal(of: line)
        #expect(said.contains(reason), "\(said)")
    }

    // MARK: - The directory and the output

    @Test func `an entry of the directory has one login`() {
        func row(_ logins: [[UInt8]]) -> UserImportRow {
            UserImportDirectory.row(
                line: 1,
                entry: "uid=clara",
                logins: logins,
                name: "Clara",
                attribute: "mail"
            )
        }
        let login = Array(Self.clara.utf8)
        #expect(row([login]) == UserImportRow(line: 1, login: Self.clara, name: "Clara"))
        #expect(row([]).problem == "the entry has no mail" && row([]).login == "uid=clara")
        #expect(row([login, login]).problem == "the entry has 2 values of mail: leave one")
        #expect(row([[0xFF]]).problem == "the mail of the entry is no text")
        #expect(row([login + [0]]).problem == "the mail of the entry is no text")
    }

    @Test func `the output has a line for each row`() throws {
        let rows = (2...5).map { UserImportRow(line: $0, login: "u\($0)@x.example") }
        let results: [UserImportResult] = [
            .added, .exists, .taken(account: "i@x.example"), .refused("no"),
        ]
        let report = UserImportReport(rows, results: results, dryRun: true)
        #expect(
            Array(report.table) == [
                ["2", "u2@x.example", "would be added"], ["3", "u3@x.example", "exists"],
                [
                    "4", "u4@x.example",
                    "exists: the address belongs to account i@x.example already",
                ],
                ["5", "u5@x.example", "no"],
            ]
        )
        #expect(report.summary == "1 users would be added, 2 exist, 1 failed")
        let added = UserImportReport(rows, results: results, dryRun: false).rows[0]
        #expect(
            try Output.document(added).filter { !$0.isWhitespace }
                == #"{"line":2,"login":"u2@x.example","reason":null,"result":"added"}"#
        )
    }
}
