import Access
import Foundation
import SASL
import Store
import Testing

/// Adding, changing and removing accounts.
@Suite struct AccountsTests {
    private static func set(
        _ office: Office,
        _ account: String,
        _ change: (inout AccountSettings) -> Void
    ) throws {
        var settings = AccountSettings()
        change(&settings)
        try office.store.setAccount(
            Office.full(account),
            settings: settings,
            masterKey: office.temporary.masterKey,
            actor: "test"
        )
    }

    @Test func `an added account has the given settings`() throws {
        let office = try Office()
        try Self.set(office, "bob") { settings in
            settings.smtp = Endpoint(host: "smtp.example", port: 587, tls: .starttls)
            settings.caFile = "/etc/ca.pem"
            settings.username = "bob-up"
            settings.sentCopy = "both"
            settings.isSentCopyRequired = true
        }
        let row = try office.store.account(Office.full("b"))
        #expect(row.address == Office.full("bob") && row.owner == Office.full("bob"))
        #expect(row.kind == "imap" && row.aliases == [Office.full("b")])
        #expect(row.imap.host == "mail.kanzlei.example" && row.imap.port == 993)
        #expect(row.smtp?.host == "smtp.example" && row.smtp?.tls == "starttls")
        #expect(row.caFile == "/etc/ca.pem" && row.username == "bob-up" && row.hasCredential)
        #expect(row.sentCopy == "both" && row.permissionsLoaded == nil)
        #expect(row.sentCopyRequired)
        let upstream = try office.store.upstream(Office.full("bob"))
        #expect(upstream.smtp?.caFile == "/etc/ca.pem" && upstream.imap.caFile == "/etc/ca.pem")
        let snapshot = try office.store.load()
        let bob = try office.account("bob", in: snapshot.access)
        #expect(snapshot.access.accounts[bob]?.sentCopy == .both)
        #expect(snapshot.access.accounts[bob]?.isSentCopyRequired == true)
        #expect(snapshot.endpoints[bob]?.server == upstream.server)
    }

    /// Changes, and whether the server identity stays the same.
    static let changes: [(String, Bool, @Sendable (inout AccountSettings) -> Void)] = [
        ("host", false, { $0.imap = Endpoint(host: "b.example", port: 993, tls: .implicit) }),
        (
            "port", false,
            { $0.imap = Endpoint(host: "mail.kanzlei.example", port: 143, tls: .implicit) }
        ),
        (
            "tls", false,
            { $0.imap = Endpoint(host: "mail.kanzlei.example", port: 993, tls: .starttls) }
        ),
        ("ca", false, { $0.caFile = "/etc/ca.pem" }), ("username", false, { $0.username = "b" }),
        ("password", false, { $0.password = Secret("neu") }),
        ("sent copy", true, { $0.sentCopy = "none" }),
        ("sent copy required", true, { $0.isSentCopyRequired = true }),
        ("owner", true, { $0.owner = "anna@kanzlei.example" }),
        ("aliases", true, { $0.aliases = [] }),
        ("smtp", true, { $0.smtp = Endpoint(host: "s.example", port: 465, tls: .implicit) }),
    ]

    @Test(arguments: changes.indices)
    func `a changed server, login or credential changes the server identity`(index: Int) throws {
        let (name, isSame, change) = Self.changes[index]
        let office = try Office()
        let before = try office.store.upstream(Office.full("bob"))
        try Self.set(office, "bob", change)
        let after = try office.store.upstream(Office.full("bob"))
        #expect((before.server == after.server) == isSame, "\(name)")
        let details = try office.store.auditEntries(account: Office.full("bob")).last?.record.detail
        #expect(details?.count == 2)
        #expect(details?.joined().contains("neu") == false)
    }

    @Test func `adding an account without a kind or a server is refused`() throws {
        let office = try Office()
        for kind in [Account.Kind.imap, nil] {
            var settings = AccountSettings()
            settings.kind = kind
            if kind == nil {
                settings.imap = Endpoint(host: "a.example", port: 993, tls: .implicit)
            }
            let refusal = Office.refusal {
                try office.store.addAccount(
                    "neu@kanzlei.example",
                    settings: settings,
                    masterKey: office.temporary.masterKey,
                    actor: "test"
                )
            }
            #expect(refusal == "an account needs --kind and --imap HOST[:PORT]")
        }
        #expect(try office.store.accounts().count == 3)
    }

    /// Refused aliases: the account's own address, another account's address or alias, and
    /// invalid texts.
    @Test(arguments: ["info", "INFO@kanzlei.example", "bob", "sales", "a b", ""])
    func `an alias that belongs to an account is refused`(alias: String) throws {
        let office = try Office()
        let before = try office.store.export()
        #expect(throws: StoreError.self) {
            try Self.set(office, "bob") {
                $0.aliases = ["frei@kanzlei.example", Office.full(alias)]
            }
        }
        #expect(try office.store.export() == before)
        try Self.set(office, "bob") {
            $0.aliases = ["zwei@kanzlei.example", "eins@kanzlei.example"]
        }
        #expect(
            try office.store.account(Office.full("bob")).aliases
                == ["eins@kanzlei.example", "zwei@kanzlei.example"]
        )
        #expect(Office.refusal { try office.store.account(Office.full("b")) } != nil)
    }

    @Test(arguments: ["", "none"])
    func `an account may have no owner`(owner: String) throws {
        let office = try Office()
        try Self.set(office, "bob") { $0.owner = owner }
        #expect(try office.store.account(Office.full("bob")).owner == nil)
        #expect(try !office.access(of: "bob", to: "bob").isOwner)
        #expect(throws: StoreError.self) { try Self.set(office, "bob") { $0.owner = "nobody" } }
    }

    @Test func `removing an account removes everything that refers to it`() throws {
        let office = try Office()
        try office.grant("bob", "anna")
        try office.wall("bob", "carl")
        try office.withdraw("sales", "anna", .both)
        try office.store.removeAccount(Office.full("b"), actor: "test")
        try office.store.removeAccount(Office.full("sales"), actor: "test")
        #expect(try office.store.accounts().map(\.address) == [Office.full("info")])
        #expect(try office.store.grants(account: nil, subject: nil).isEmpty)
        #expect(try office.store.walls().isEmpty)
        #expect(try office.store.withdrawals(account: nil, subject: nil).isEmpty)
        let about = try office.store.auditEntries(account: Office.full("bob"))
        #expect(about.last?.record.detail == ["account remove b@kanzlei.example"])
        // The addresses can be used again, and the numbers are not reused.
        try office.temporary.addAccount("bob", aliases: ["b@kanzlei.example"])
        let access = try office.store.load().access
        #expect(try office.account("bob", in: access).rawValue > 3)
        #expect(try office.access(of: "anna", to: "bob").anywhere == [])
    }

    @Test func `the kind of an account cannot change`() throws {
        let office = try Office()
        var document = try office.store.export()
        document.accounts?[0].kind = "exchange"
        let refusal = Office.refusal {
            try office.store.apply(document, dryRun: false, actor: "test")
        }
        #expect(refusal?.contains("cannot change: remove the account") == true)
        for (kind, tls, says) in [
            ("pop", "implicit", "imap or exchange"),
            ("imap", "maybe", "implicit, starttls or none"),
            ("imap", "none", "on this machine only"),
        ] {
            document.accounts?[0].kind = kind
            document.accounts?[0].imap.tls = tls
            let refusal = Office.refusal {
                try office.store.apply(document, dryRun: false, actor: "test")
            }
            #expect(refusal?.contains(says) == true, "\(refusal ?? "taken")")
        }
    }
}
