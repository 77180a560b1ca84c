import Access
import Store
import Testing

/// Adding, listing and removing grants.
@Suite struct GrantsTests {
    private static func rows(_ office: Office, _ account: String? = nil) throws -> [String] {
        try office.store.grants(account: account.map(Office.full), subject: nil).map { row in
            let folder = row.folder.map { "\($0)\(row.subtree ? "/*" : "")" } ?? "*"
            return "\(row.subject.prefix { $0 != "@" }) \(row.rights)/\(row.send) \(folder)"
        }
    }

    /// Grants before, the new grant, and grants after it, in one scope.
    static let grants: [((Rights, SendRight), (Rights, SendRight), [String])] = [
        ((.view, .none), (.edit, .none), ["anna lrswite/none *"]),
        ((.edit, .none), (.view, .none), ["anna lr/none *"]),
        ((.view, .none), ([], .as), ["anna lr/none *", "anna /as *"]),
        ((.view, .as), (.edit, .none), ["anna /as *", "anna lrswite/none *"]),
        ((.view, .as), ([], .onBehalf), ["anna lr/none *", "anna /on-behalf *"]),
        ((.view, .as), (.edit, .onBehalf), ["anna lrswite/on-behalf *"]),
        (([], .as), ([], .onBehalf), ["anna /on-behalf *"]),
    ]

    @Test(arguments: grants.indices)
    func `a grant replaces only the sides that it gives`(index: Int) throws {
        let (first, second, expected) = Self.grants[index]
        let office = try Office()
        try office.grant("info", "anna", first.0, send: first.1)
        try office.grant("info", "anna", second.0, send: second.1)
        #expect(try Self.rows(office) == expected)
    }

    @Test func `a grant leaves other scopes, subjects and accounts unchanged`() throws {
        let office = try Office()
        try office.group("g")
        let akten = try Office.path("Akten")
        let scopes: [Scope] = [
            .account, .folder(akten), .subtree(akten), .folder(try Office.path("akten")),
        ]
        for scope in scopes { try office.grant("info", "anna", .view, scope: scope) }
        try office.grant("info", "bob")
        try office.grant("info", "group:g")
        try office.grant("bob", "anna")
        let before = try Self.rows(office)
        #expect(before.count == 7)
        try office.grant("info", "anna", .edit, scope: .folder(akten))
        #expect(
            try Set(Self.rows(office)).symmetricDifference(before)
                == ["anna lr/none Akten", "anna lrswite/none Akten"]
        )
    }

    /// The account, the subject, rights, the end, and a part of the refusal.
    static let refused: [(String, String, Rights, Int64?, String)] = [
        ("info", "anna", [], nil, "a grant needs"),
        ("sales", "anna", .view, nil, "Exchange account"),
        ("nirgends", "anna", .view, nil, "no account"), ("info", "nobody", .view, nil, "no user"),
        ("info", "group:nowhere", .view, nil, "no group"),
        ("info", "anyone", .view, nil, "no user"),
        ("info", "anna", .view, -1, "up to the year 9999"),
        ("info", "anna", .view, 253_402_300_801, "up to the year 9999"),
        ("info", "anna", .view, .max, "up to the year 9999"),
        ("info", "anna", .view, .min, "up to the year 9999"),
    ]

    @Test(arguments: refused.indices)
    func `a refused grant stores nothing`(index: Int) throws {
        let (account, subject, rights, until, says) = Self.refused[index]
        let office = try Office()
        let refusal = Office.refusal {
            try office.store.addGrant(
                GrantRequest(
                    account: Office.full(account),
                    subject: Office.full(subject),
                    rights: rights,
                    send: .none,
                    until: until.map(Moment.init(seconds:))
                ),
                actor: "test"
            )
        }
        #expect(refusal?.contains(says) == true, "\(refusal ?? "not refused")")
        #expect(try Self.rows(office).isEmpty)
    }

    /// The sides to remove, and what remains of each of three grants.
    @Test(arguments: [
        (Sides.view, ["anna /as *"], 2), (.send, ["anna lr/none *", "anna lr/none Akten"], 1),
        (.both, [], 2),
    ])
    func `removal takes one side from every grant of a subject`(
        sides: Sides,
        left: [String],
        count: Int
    ) throws {
        let office = try Office()
        try office.grant("info", "anna", .view, send: .as)
        try office.grant("info", "anna", .view, scope: .folder(try Office.path("Akten")))
        try office.grant("info", "bob", .view, send: .as)
        try office.grant("bob", "anna", .view)
        let removed = try office.store.removeGrants(
            account: Office.full("info"),
            subject: Office.full("anna"),
            view: sides.contains(.view),
            send: sides.contains(.send),
            actor: "test"
        )
        #expect(removed == count)
        #expect(
            try Self.rows(office).sorted()
                == (left + ["anna lr/none *", "bob lr/as *"]).sorted()
        )
    }

    @Test(arguments: [
        ("info", "bob", Sides.both), ("info", "group:g", .both), ("bob", "anna", .view),
        ("info", "anna", .send), ("info", "nobody", .both), ("nirgends", "anna", .both),
        ("info", "anna", Sides()),
    ])
    func `removing a grant that does not exist is refused`(
        account: String,
        subject: String,
        sides: Sides
    ) throws {
        let office = try Office()
        try office.group("g", "anna")
        try office.grant("info", "anna")
        #expect(throws: StoreError.self) {
            try office.store.removeGrants(
                account: Office.full(account),
                subject: Office.full(subject),
                view: sides.contains(.view),
                send: sides.contains(.send),
                actor: "test"
            )
        }
        #expect(try Self.rows(office) == ["anna lr/none *"])
    }

    @Test func `a list filters by account, subject or both`() throws {
        let office = try Office()
        try office.group("g", "anna")
        try office.grant("info", "anna")
        try office.grant("info", "group:g")
        try office.grant("bob", "anna")
        func count(_ account: String?, _ subject: String?) throws -> Int {
            try office.store.grants(
                account: account.map(Office.full),
                subject: subject.map(Office.full)
            ).count
        }
        #expect(try count(nil, nil) == 3 && count("info", nil) == 2 && count("b", nil) == 1)
        // Grants to a group are not listed for its members.
        #expect(try count(nil, "anna") == 2 && count(nil, "group:g") == 1 && count(nil, "bob") == 0)
        #expect(try count("info", "ANNA@kanzlei.example") == 1)
        #expect(throws: StoreError.self) { try count("nirgends", nil) }
    }

    @Test func `a grant has effect until its end`() throws {
        let office = try Office()
        for (subject, seconds) in [("anna", -5), ("carl", 3_600)] {
            try office.store.addGrant(
                GrantRequest(
                    account: Office.full("info"),
                    subject: Office.full(subject),
                    rights: .view,
                    send: .none,
                    until: Moment(seconds: Moment.current.seconds + Int64(seconds))
                ),
                actor: "test"
            )
        }
        #expect(try office.access(of: "anna", to: "info").anywhere == [])
        #expect(try office.access(of: "carl", to: "info").anywhere == .view)
        let snapshot = try office.store.load().access
        #expect(snapshot.nextExpiry(after: .current) != nil)
    }

    @Test func `a local grant on an Exchange account is refused`() throws {
        let office = try Office()
        try office.store.requireLocalGrants(Office.full("info"))
        try office.store.requireLocalGrants(Office.full("B"))
        let refusal = Office.refusal { try office.store.requireLocalGrants(Office.full("sales")) }
        #expect(refusal?.contains("gatepost permissions load sales@kanzlei.example") == true)
    }
}
