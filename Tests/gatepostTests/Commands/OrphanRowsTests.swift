import Access
import Gateway
import Testing

@testable import Store
@testable import gatepost

/// What counts as of no use any more.
@Suite struct OrphanRowsTests {
    private static let now = Moment(seconds: 100 * 86_400)

    /// A grant that was made in the first second, unless another day is named.
    static func grant(
        _ id: Int64,
        on account: String,
        to subject: String,
        folder: String? = nil,
        subtree: Bool = false,
        source: String = "local",
        confirmed: Bool = true,
        until: Int64? = nil,
        day: Int64 = 0
    ) -> GrantRow {
        GrantRow(
            id: id,
            account: account,
            subject: subject,
            rights: "lr",
            send: "none",
            folder: folder,
            subtree: subtree,
            source: source,
            via: nil,
            confirmed: confirmed,
            until: until,
            author: "root",
            created: day * 86_400,
            reason: nil,
            withdrawn: nil
        )
    }

    private static func account(_ address: String, owner: String? = nil) -> AccountRow {
        AccountRow(
            address: address,
            kind: "imap",
            owner: owner,
            aliases: [],
            imap: AccountRow.Server(host: "mail.example", port: 993, tls: "implicit"),
            username: address,
            hasCredential: true,
            sentCopy: "none",
            sentCopyRequired: false,
            permissionsLoaded: nil
        )
    }

    /// Anna and Bob are enabled, Carl is not. Anna owns `a`, Carl owns `c`.
    private static func rows(
        _ grants: [GrantRow],
        groups: [GroupRow] = [],
        accounts: [AccountRow] = [],
        uses: [String: [String: Int64]] = [:],
        refused: [SuspendedCredential] = []
    ) -> [OrphanRow] {
        OrphanRows(
            inventory: StoreInventory(
                users: [("anna", false), ("bob", false), ("carl", true)].map {
                    UserRow(login: $0.0, name: nil, role: nil, disabled: $0.1)
                },
                groups: groups,
                accounts: accounts,
                grants: grants
            ),
            uses: uses.mapValues { $0.mapValues { Moment(seconds: $0 * 86_400) } },
            refused: refused,
            days: 30,
            moment: now
        ).all
    }

    private static let groups = [
        GroupRow(name: "Cycle", members: ["group:Round"]),
        GroupRow(name: "Empty", members: []), GroupRow(name: "Gone", members: ["carl"]),
        GroupRow(name: "Outer", members: ["group:Team", "group:Gone"]),
        GroupRow(name: "Round", members: ["group:Cycle"]),
        GroupRow(name: "Team", members: ["bob", "carl"]),
    ]

    /// A subject, and the kind of the row about a grant that nobody used; nil for none.
    static let subjects: [(String, OrphanRow.Kind?)] = [
        ("bob", .unusedGrant), ("carl", .userGrant), ("group:Empty", .groupGrant),
        ("group:Gone", .groupGrant), ("group:Team", .unusedGrant), ("group:Outer", .unusedGrant),
        ("group:Cycle", .groupGrant), ("anyone", .unusedGrant),
    ]

    @Test(arguments: subjects)
    func `a grant is of use to the enabled users whom it reaches`(
        subject: String,
        kind: OrphanRow.Kind?
    ) {
        let rows = Self.rows([Self.grant(1, on: "info", to: subject)], groups: Self.groups)
            .filter { $0.grant != nil }
        #expect(rows.map(\.kind) == [kind].compactMap { $0 })
        #expect(rows.first?.subject == subject && rows.first?.account == "info")
    }

    /// A grant to Team, in which only Bob is enabled; the days of use by account and user, and
    /// whether it counts as unused.
    static let uses: [(GrantRow, [String: [String: Int64]], Bool)] = [
        (grant(1, on: "info", to: "group:Team"), ["info": ["bob": 71]], false),
        (grant(1, on: "info", to: "group:Team"), ["info": ["bob": 69]], true),
        (grant(1, on: "info", to: "group:Team"), ["info": ["carl": 99, "anna": 99]], true),
        (grant(1, on: "info", to: "group:Team"), ["sales": ["bob": 99]], true),
        (grant(1, on: "info", to: "bob", day: 71), [:], false),
        (grant(1, on: "info", to: "bob", confirmed: false), [:], false),
        (grant(1, on: "info", to: "bob", until: 99 * 86_400), [:], false),
        (grant(1, on: "info", to: "bob", until: 101 * 86_400), [:], true),
        (grant(1, on: "a", to: "anyone"), ["a": ["anna": 99]], true),
        (grant(1, on: "a", to: "anyone"), ["a": ["bob": 99]], false),
    ]

    @Test(arguments: uses)
    func `a grant is unused if none of its users used the account for the time`(
        grant: GrantRow,
        uses: [String: [String: Int64]],
        isUnused: Bool
    ) {
        let rows = Self.rows(
            [grant],
            groups: Self.groups,
            accounts: [Self.account("a", owner: "anna")],
            uses: uses
        ).filter { $0.kind == .unusedGrant }
        #expect(rows.isEmpty != isUnused)
        guard let row = rows.first else { return }
        #expect(row.reason == "not used for 30 days")
        let known = uses[grant.account]?["bob"].map { $0 * 86_400 }
        #expect(row.lastUsed == known)
    }

    @Test func `accounts without anybody, and groups without anybody, are listed`() {
        let rows = Self.rows(
            [Self.grant(1, on: "shared", to: "group:Outer", day: 99)],
            groups: Self.groups,
            accounts: [
                Self.account("a", owner: "anna"), Self.account("c", owner: "carl"),
                Self.account("lost"), Self.account("shared"),
            ]
        )
        #expect(rows.map(\.kind) == [.owner, .account, .group, .group, .group, .group])
        #expect(rows.compactMap(\.account) == ["c", "lost"])
        #expect(rows.first?.subject == "carl")
        #expect(
            rows.suffix(4).map(\.subject)
                == ["group:Cycle", "group:Empty", "group:Gone", "group:Round"]
        )
        #expect(rows.suffix(3).first?.reason == "no members")
        #expect(rows.suffix(2).first?.reason == "no enabled member")
    }

    @Test func `names are compared octet for octet`() {
        let (composed, decomposed) = ("B\u{FC}ro", "Bu\u{308}ro")
        let rows = Self.rows(
            [],
            groups: [
                GroupRow(name: composed, members: ["bob"]), GroupRow(name: decomposed, members: []),
            ]
        )
        #expect(rows.map(\.reason) == ["no members"])
    }

    @Test func `a grant of Exchange says so, and each kind has a remedy`() {
        let rows = Self.rows([Self.grant(1, on: "info", to: "carl", source: "exchange")])
        #expect(rows.map(\.reason) == ["the user is disabled (from Exchange)"])
        for kind in OrphanRow.Kind.allCases { #expect(kind.remedy.hasPrefix("gatepost ")) }
    }
}
