import Access
import Store
import Testing

/// Exchange permissions: loading, reviewing, saving and discarding.
@Suite struct StagesTests {
    private typealias Entry = ImportedPermissions.Entry

    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"
    private static let sales = "sales@kanzlei.example"

    private static func texts(_ lines: [StageReport.Line]) -> [String] {
        lines.map { line in
            line.denied.isEmpty
                ? "\(line.subject) \(line.rights)/\(line.send) \(line.folder ?? "*")"
                : "\(line.subject) denied \(line.denied)"
        }
    }

    @Test func `a stage has no effect before it is saved or after it is discarded`() throws {
        let office = try Office()
        let permissions = ImportedPermissions(entries: [
            Entry(login: Self.anna, rights: "lr", send: "as"),
            Entry(login: Self.bob, via: "Vertrieb", rights: "lrs", folder: "Akten"),
        ])
        let report = try office.staged("sales", permissions)
        #expect(
            Self.texts(report.added)
                == ["\(Self.anna) lr/as *", "\(Self.bob) lrs/none Akten"]
        )
        #expect(report.removed.isEmpty && report.unchanged.isEmpty)
        #expect(report.account == Self.sales && report.source == "test" && report.author == "test")
        #expect(try office.access(of: "anna", to: "sales").anywhere == [])
        #expect(try office.store.stages(of: []) == [report])
        #expect(try office.store.discardStages(of: [Self.sales], actor: "test") == [Self.sales])
        #expect(
            Office.refusal { try office.store.stages(of: []) }?.contains("nothing is loaded")
                == true
        )
        #expect(
            Office.refusal {
                try office.store.saveStages(of: [Self.sales], confirmsEveryone: false, actor: "t")
            }?.contains("nothing is loaded for \(Self.sales)") == true
        )
        #expect(try office.store.grants(account: nil, subject: nil).isEmpty)
        let saved = try office.saved("sales", permissions)
        #expect(try office.access(of: "anna", to: "sales").coversAccount == .view)
        #expect(try office.access(of: "anna", to: "sales").send == .as)
        let akten = try Office.path("Akten")
        #expect(try office.access(of: "bob", to: "sales").rights(in: akten).letters == "lrs")
        #expect(try office.store.account(Self.sales).permissionsLoaded == saved.loaded)
    }

    @Test func `a load reports added, removed and unchanged lines`() throws {
        let office = try Office()
        try office.saved(
            "sales",
            ImportedPermissions(
                entries: [
                    Entry(login: Self.anna, rights: "lr"),
                    Entry(login: Self.bob, send: "on-behalf"),
                    Entry(login: Self.bob, rights: "l", folder: "Caf\u{E9}"),
                ],
                denials: [.init(login: Self.anna, view: false, send: true)]
            )
        )
        let report = try office.staged(
            "sales",
            ImportedPermissions(
                entries: [
                    Entry(login: Self.anna, rights: "lr"), Entry(login: Self.bob, send: "as"),
                    Entry(login: Self.bob, rights: "l", folder: "Cafe\u{301}"),
                ],
                denials: [.init(login: Self.anna, view: true, send: true)],
                unresolved: [.init(principal: "S-1-5", right: "FullAccess", why: "nobody")],
                notes: ["a note"]
            )
        )
        #expect(Self.texts(report.unchanged) == ["\(Self.anna) lr/none *"])
        #expect(
            Set(Self.texts(report.removed).map(ExactText.init))
                == Set(
                    [
                        "\(Self.anna) denied send", "\(Self.bob) /on-behalf *",
                        "\(Self.bob) l/none Caf\u{E9}",
                    ].map(ExactText.init)
                )
        )
        #expect(
            Set(Self.texts(report.added).map(ExactText.init))
                == Set(
                    [
                        "\(Self.anna) denied view send", "\(Self.bob) /as *",
                        "\(Self.bob) l/none Cafe\u{301}",
                    ].map(ExactText.init)
                )
        )
        #expect(report.unresolved.map(\.principal) == ["S-1-5"])
        #expect(report.notes == ["a note"])
    }

    /// The subject of the withdrawal: a user, a group, and a nested group.
    @Test(arguments: ["anna", "group:inner", "group:outer"])
    func `a local withdrawal remains in effect after every load`(subject: String) throws {
        let office = try Office()
        try office.group("inner", "anna")
        try office.group("outer", "group:inner")
        try office.withdraw("sales", subject, .view)
        let permissions = ImportedPermissions(entries: [
            Entry(login: Self.anna, rights: "lr", send: "as"),
            Entry(login: Self.anna, rights: "", folder: "Akten"),
            Entry(login: Self.anna, send: "on-behalf"), Entry(login: Self.bob, rights: "lr"),
        ])
        let report = try office.saved("sales", permissions)
        #expect(
            Self.texts(report.stillWithdrawn)
                == ["\(Self.anna) lr/as *", "\(Self.anna) /none Akten"]
        )
        let access = try office.access(of: "anna", to: "sales")
        #expect(access.anywhere == [] && access.send == .as)
        #expect(try office.access(of: "bob", to: "sales").coversAccount == .view)
        let marks = try office.store.grants(account: Self.sales, subject: Self.anna)
            .map { $0.withdrawn ?? "-" }
        #expect(marks.sorted() == ["-", "-", "view"])
        // A later load does not affect the withdrawal; its end restores the access.
        try office.saved("sales", permissions)
        #expect(try office.access(of: "anna", to: "sales").anywhere == [])
        try office.restore("sales", subject, .view)
        #expect(try office.access(of: "anna", to: "sales").coversAccount == .view)
        #expect(try office.staged("sales", permissions).stillWithdrawn.isEmpty)
    }

    @Test(arguments: ["anna", "group:inner", "group:outer"])
    func `a load reports a wall, which keeps barring the subject`(subject: String) throws {
        let office = try Office()
        try office.group("inner", "anna")
        try office.group("outer", "group:inner")
        try office.wall("sales", subject)
        let report = try office.saved(
            "sales",
            ImportedPermissions(entries: [
                Entry(login: Self.anna, rights: "lr"), Entry(login: Self.bob, rights: "lr"),
                Entry(login: nil, rights: "l", folder: "Akten"),
            ]),
            confirmsEveryone: true
        )
        #expect(report.notes.count == 1)
        #expect(report.notes.first?.hasPrefix("a wall bars \(Self.anna):") == true)
        #expect(try office.access(of: "anna", to: "sales").anywhere == [])
        let akten = try Office.path("Akten")
        #expect(try office.access(of: "bob", to: "sales").rights(in: akten).contains(.lookup))
    }

    @Test func `a line for everyone takes effect after one confirmation`() throws {
        let office = try Office()
        let akten = try Office.path("Akten")
        let everyone = ImportedPermissions(entries: [
            Entry(login: nil, rights: "lr", folder: "Akten"),
            Entry(login: nil, rights: "", folder: "Post"),
        ])
        #expect(
            Self.texts(try office.staged("sales", everyone).unconfirmed) == ["anyone lr/none Akten"]
        )
        try office.saved("sales", everyone)
        #expect(try office.access(of: "anna", to: "sales").rights(in: akten) == [])
        try office.saved("sales", everyone, confirmsEveryone: true)
        #expect(try office.access(of: "anna", to: "sales").rights(in: akten) == .view)
        // An unchanged line stays confirmed; another right of everyone is another line.
        try office.saved("sales", everyone)
        #expect(try office.access(of: "anna", to: "sales").rights(in: akten) == .view)
        let more = ImportedPermissions(entries: [
            Entry(login: nil, rights: "lrs", folder: "Akten")
        ])
        #expect(
            Self.texts(try office.staged("sales", more).unconfirmed) == ["anyone lrs/none Akten"]
        )
        try office.saved("sales", more)
        #expect(try office.access(of: "anna", to: "sales").rights(in: akten) == [])
    }

    /// Changes between a load and its save.
    static let changes: [(String, @Sendable (Office) throws -> Void)] = [
        ("user added", { try $0.temporary.addUsers("dora") }),
        ("user removed", { try $0.store.removeUser("bob@kanzlei.example", actor: "t") }),
        ("address added", { try $0.temporary.addAccount("neu") }),
        ("address removed", { try $0.store.removeAccount("info@kanzlei.example", actor: "t") }),
        ("withdrawn", { try $0.withdraw("sales", "anna", .send) }),
        ("saved", { try $0.saved("sales", ImportedPermissions()) }),
        (
            "owner changed",
            { office in
                var settings = AccountSettings()
                settings.owner = "bob@kanzlei.example"
                try office.store.setAccount(
                    "info@kanzlei.example",
                    settings: settings,
                    masterKey: office.temporary.masterKey,
                    actor: "test"
                )
            }
        ),
    ]

    @Test(arguments: changes.indices)
    func `a stage is refused after names or rules changed`(index: Int) throws {
        let (name, change) = Self.changes[index]
        let office = try Office()
        // Bob owns an account here, which must not prevent the removal.
        try office.store.removeAccount(Self.bob, actor: "test")
        let permissions = ImportedPermissions(entries: [Entry(login: Self.anna, rights: "lr")])
        let version = try #require(try office.store.permissionsVersions(of: [Self.sales]).first)
        _ = try office.staged("sales", permissions)
        try change(office)
        let refusal = Office.refusal {
            try office.store.saveStages(of: [], confirmsEveryone: false, actor: "test")
        }
        #expect(refusal?.isEmpty == false, "\(name)")
        #expect(try office.access(of: "anna", to: "sales").anywhere == [], "\(name)")
        // Permissions that were read before the change are not stored at all.
        let late = Office.refusal {
            try office.store.stage(
                [(account: Self.sales, version: version, permissions: permissions)],
                source: "test",
                actor: "test"
            )
        }
        #expect(late?.contains("nothing was stored") == true, "\(name): \(late ?? "kept")")
    }

    @Test func `a stage stays valid after a grant elsewhere or a new group member`() throws {
        let office = try Office()
        try office.group("g")
        let report = try office.staged(
            "sales",
            ImportedPermissions(entries: [Entry(login: Self.anna, rights: "lr")])
        )
        try office.grant("info", "anna")
        try office.store.join([Self.anna], to: "g", actor: "test")
        try office.wall("info", "bob")
        let saved = try office.store.saveStages(of: [], confirmsEveryone: false, actor: "test")
        #expect(saved.map(\.added) == [report.added])
    }

    @Test func `several stages are saved together or not at all`() throws {
        let office = try Office()
        try office.temporary.addAccount("zwei", kind: .exchange)
        let permissions = ImportedPermissions(entries: [Entry(login: Self.anna, rights: "lr")])
        _ = try office.staged("sales", permissions)
        _ = try office.staged("zwei", permissions)
        #expect(
            try office.store.stages(of: []).map(\.account) == [Self.sales, Office.full("zwei")]
        )
        try office.withdraw("zwei", "bob", .view)
        #expect(throws: StoreError.self) {
            try office.store.saveStages(of: [], confirmsEveryone: false, actor: "test")
        }
        #expect(try office.access(of: "anna", to: "sales").anywhere == [])
        _ = try office.staged("zwei", permissions)
        _ = try office.store.saveStages(of: [], confirmsEveryone: false, actor: "test")
        for account in ["sales", "zwei"] {
            #expect(try office.access(of: "anna", to: account).coversAccount == .view)
        }
    }

    @Test func `loading permissions of an IMAP account is refused`() throws {
        let office = try Office()
        for name in ["info", "bob"] {
            let refusal = Office.refusal { try office.staged(name, ImportedPermissions()) }
            #expect(refusal?.contains("is an IMAP account") == true)
        }
        #expect(Office.refusal { try office.staged("nirgends", ImportedPermissions()) } != nil)
    }

    @Test func `the audit record of a save lists each changed line`() throws {
        let office = try Office()
        try office.saved(
            "sales",
            ImportedPermissions(entries: [Entry(login: Self.anna, rights: "lr", send: "as")])
        )
        try office.saved(
            "sales",
            ImportedPermissions(denials: [.init(login: Self.bob, view: true, send: false)])
        )
        let record = try #require(try office.store.auditEntries(account: Self.sales).last).record
        #expect(
            record.detail == [
                "permissions save \(Self.sales)", "- \(Self.sales) \(Self.anna) lr in all, send as",
                "+ \(Self.sales) \(Self.bob) denied view",
            ]
        )
    }
}
