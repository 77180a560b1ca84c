import Access
import Support
import Testing

/// The permission model: one row for each sentence about rights.
@Suite struct ModelTests {
    static let now = Moment(seconds: 1_000)
    static let anna = UserID(1)
    static let bob = UserID(2)
    static let office = GroupID(1)
    static let inner = GroupID(2)
    static let account = AccountID(1)

    private func address(_ text: String) throws -> Address {
        try #require(Address(text.utf8))
    }

    private func folder(_ text: String) throws -> FolderPath {
        try #require(FolderPath(octets: Array(text.utf8)))
    }

    /// Bob owns the account. Anna is a member of `inner`, which is a member of `office`.
    private func snapshot(
        grants: [Grant] = [],
        withdrawals: [Withdrawal] = [],
        walls: [Wall] = [],
        annaDisabled: Bool = false,
        accountDisabled: Bool = false
    ) throws -> Snapshot {
        Snapshot(
            revision: 1,
            users: [
                User(
                    id: Self.anna,
                    login: try self.address("anna@kanzlei.example"),
                    isDisabled: annaDisabled
                ),
                User(id: Self.bob, login: try self.address("bob@kanzlei.example")),
            ],
            groups: [
                Group(id: Self.office, name: "office", members: [.group(Self.inner)]),
                Group(id: Self.inner, name: "inner", members: [.user(Self.anna)]),
            ],
            accounts: [
                Account(
                    id: Self.account,
                    address: try self.address("bob@kanzlei.example"),
                    aliases: [try self.address("b@kanzlei.example")],
                    owner: Self.bob,
                    isDisabled: accountDisabled
                )
            ],
            grants: grants,
            withdrawals: withdrawals,
            walls: walls
        )
    }

    private func grant(
        _ rights: Rights,
        to subject: Subject = .user(ModelTests.anna),
        send: SendRight = .none,
        scope: Scope = .account,
        until: Moment? = nil,
        isConfirmed: Bool = true
    ) -> Grant {
        Grant(
            id: 1,
            account: Self.account,
            subject: subject,
            rights: rights,
            send: send,
            scope: scope,
            until: until,
            isConfirmed: isConfirmed
        )
    }

    private func rights(_ snapshot: Snapshot, _ path: String = "INBOX") throws -> String {
        snapshot.access(of: Self.anna, to: Self.account, at: Self.now)
            .rights(in: try self.folder(path)).letters
    }

    @Test func `an unknown or disabled user or account is denied`() throws {
        let grants = [self.grant(.view)]
        let enabled = try self.snapshot(grants: grants)
        let inbox = try self.folder("INBOX")
        #expect(
            enabled.access(of: UserID(9), to: Self.account, at: Self.now).rights(in: inbox) == []
        )
        #expect(enabled.access(of: nil, to: Self.account, at: Self.now).rights(in: inbox) == [])
        #expect(enabled.access(of: Self.anna, to: AccountID(9), at: Self.now).anywhere == [])
        #expect(try self.rights(self.snapshot(grants: grants, annaDisabled: true)) == "")
        #expect(try self.rights(self.snapshot(grants: grants, accountDisabled: true)) == "")
    }

    @Test func `the owner has every right and sends as`() throws {
        let access = try self.snapshot().access(of: Self.bob, to: Self.account, at: Self.now)
        #expect(access.rights(in: try self.folder("Any/Where")).letters == "lrswipkxtea")
        #expect(access.send == .as)
    }

    @Test func `a wall overrides every grant, but not ownership`() throws {
        for subject in [Subject.user(Self.anna), .group(Self.inner), .group(Self.office)] {
            let wall = Wall(account: Self.account, subject: subject, reason: "conflict")
            let snapshot = try self.snapshot(grants: [self.grant(.all, send: .as)], walls: [wall])
            #expect(try self.rights(snapshot) == "")
            let access = snapshot.access(of: Self.anna, to: Self.account, at: Self.now)
            #expect(access.send == .none)
        }
        let own = Wall(account: Self.account, subject: .user(Self.bob), reason: "x")
        let access = try self.snapshot(walls: [own])
            .access(of: Self.bob, to: Self.account, at: Self.now)
        #expect(access.isOwner)
    }

    @Test func `rights are the union of the user's grants`() throws {
        let snapshot = try self.snapshot(grants: [
            self.grant(.lookup), self.grant(.read, to: .group(Self.office)),
            self.grant(.write, to: .user(Self.bob)),
        ])
        #expect(try self.rights(snapshot) == "lr")
    }

    @Test func `a grant is in effect if it is confirmed and not expired`() throws {
        #expect(
            try self.rights(self.snapshot(grants: [self.grant(.view, isConfirmed: false)])) == ""
        )
        let past = self.grant(.view, until: Self.now)
        let future = self.grant(.view, until: Moment(seconds: 1_001))
        #expect(try self.rights(self.snapshot(grants: [past])) == "")
        #expect(try self.rights(self.snapshot(grants: [future])) == "lr")
        let access = try self.snapshot(grants: [future])
            .access(of: Self.anna, to: Self.account, at: Self.now)
        #expect(access.validUntil == Moment(seconds: 1_001))
    }

    @Test func `a scope ends at a delimiter, not within a component`() throws {
        let one = try self.snapshot(grants: [
            self.grant(.view, scope: .folder(try self.folder("Projects")))
        ])
        let below = try self.snapshot(grants: [
            self.grant(.view, scope: .subtree(try self.folder("Projects")))
        ])
        #expect(try self.rights(one, "Projects") == "lr")
        #expect(try self.rights(one, "Projects/A") == "")
        #expect(try self.rights(below, "Projects") == "lr")
        #expect(try self.rights(below, "Projects/A/B") == "lr")
        #expect(try self.rights(below, "ProjectsSecret") == "")
        #expect(try self.rights(below, "Projects Secret/x") == "")
        #expect(try self.rights(below, "projects") == "")
    }

    @Test func `a withdrawal overrides every grant of its side`() throws {
        for subject in [Subject.user(Self.anna), .group(Self.office)] {
            let grants = [self.grant(.view, send: .as)]
            let view = Withdrawal(account: Self.account, subject: subject, view: true, send: false)
            let send = Withdrawal(account: Self.account, subject: subject, view: false, send: true)
            let first = try self.snapshot(grants: grants, withdrawals: [view])
            #expect(try self.rights(first) == "")
            #expect(first.access(of: Self.anna, to: Self.account, at: Self.now).send == .as)
            let second = try self.snapshot(grants: grants, withdrawals: [send])
            #expect(try self.rights(second) == "lr")
            #expect(second.access(of: Self.anna, to: Self.account, at: Self.now).send == .none)
        }
    }

    @Test
    func `the strongest send right counts, and folder rights and send rights are independent`()
        throws
    {
        let snapshot = try self.snapshot(grants: [
            self.grant([], send: .onBehalf), self.grant([], to: .group(Self.inner), send: .as),
        ])
        let access = snapshot.access(of: Self.anna, to: Self.account, at: Self.now)
        #expect(access.send == .as)
        #expect(!access.isVisible)
        let reader = try self.snapshot(grants: [self.grant(.all)])
        #expect(reader.access(of: Self.anna, to: Self.account, at: Self.now).send == .none)
    }

    @Test func `an account is listed if the user has the right l anywhere in it`() throws {
        let only = self.grant(.lookup, scope: .folder(try self.folder("A")))
        let blind = self.grant(.insert)
        #expect(
            try self.snapshot(grants: [only]).accounts(visibleTo: Self.anna, at: Self.now).count
                == 1
        )
        #expect(
            try self.snapshot(grants: [blind]).accounts(visibleTo: Self.anna, at: Self.now).isEmpty
        )
    }

    @Test func `a verdict names the rules that decided`() throws {
        let snapshot = try self.snapshot(grants: [self.grant(.view, to: .group(Self.office))])
        let verdict = snapshot.verdict(
            user: Self.anna,
            account: Self.account,
            folder: try self.folder("INBOX"),
            at: Self.now
        )
        #expect(verdict.rights.letters == "lr")
        guard case .grant(_, let path)? = verdict.because.first else {
            Issue.record("no grant named")
            return
        }
        #expect(path == [Self.office, Self.inner])
        let none = try self.snapshot().verdict(
            user: Self.anna,
            account: Self.account,
            folder: nil,
            at: Self.now
        )
        #expect(none.because == [.nothing])
    }

    static let letters: [(String, String?)] = [
        ("lr", "lr"), ("rl", "lr"), ("aetxkpiwsrl", "lrswipkxtea"), ("", ""), ("lz", nil),
        ("L", nil),
    ]

    @Test(arguments: letters)
    func `rights are printed as letters in the order of RFC 4314`(text: String, expected: String?) {
        #expect(Rights(letters: text)?.letters == expected)
    }

    @Test func `view, edit and manage are the rights of the model`() {
        #expect(Rights.view.letters == "lr")
        #expect(Rights.edit == Rights(letters: "lrswite"))
        #expect(Rights.manage == Rights(letters: "lrswipkxte"))
        #expect(Rights.all == Rights(letters: "lrswipkxtea"))
    }

    static let addresses: [(String, String?)] = [
        ("Anna@Kanzlei.Example", "anna@kanzlei.example"), ("u0", "u0"),
        ("\u{FC}@kanzlei.example", "\u{FC}@kanzlei.example"),
        ("", nil), ("a/b", nil), ("a\\b", nil), ("a*", nil), ("a!b", nil), ("a b", nil),
        ("a\u{0}", nil), ("a@k\u{FC}.example", nil), ("@x", nil), ("x@", nil), ("a\u{7F}", nil),
        ("\u{212A}@x.example", "\u{212A}@x.example"), ("a@x.example.", nil), ("a@.x", nil),
        ("a@x..example", nil), ("a\u{202E}b@x.example", nil), ("a\u{85}@x.example", nil),
        ("a\u{2028}@x.example", nil), ("a\u{A0}@x.example", nil), ("@", nil),
    ]

    @Test(arguments: addresses)
    func `logins ignore ASCII case`(text: String, expected: String?) {
        #expect(Address(text.utf8)?.octets == expected.map { Array($0.utf8) })
    }

    /// T516: a name in its normalized form does not change.
    @Test func `parsing a parsed name changes nothing`() {
        let alphabet = Array(
            "aB@.-\u{E9}\u{C9}e\u{301}\u{212A}\u{130}I\u{131}\u{FB01}/\u{202E}".unicodeScalars
        )
        var generator = Seeded(state: 7)
        var accepted = 0
        for _ in 0..<20_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                alphabet.randomElement(using: &generator).map { text.append($0) }
            }
            if let address = Address(String(text).utf8) {
                accepted += 1
                #expect(Address(address.octets) == address)
                #expect(Address(address.description.utf8) == address)
            }
            if let folder = FolderPath(octets: Array(String(text).utf8)) {
                #expect(FolderPath(octets: folder.octets) == folder)
            }
        }
        #expect(accepted > 1_000)
    }

    @Test func `an account is found by its alias`() throws {
        let snapshot = try self.snapshot()
        #expect(
            snapshot.account(address: try self.address("B@kanzlei.example"))?.id == Self.account
        )
    }

    static let folders: [(String, String?)] = [
        ("INBOX", "INBOX"), ("inbox/x", "INBOX/x"), ("a/INBOX", "a/INBOX"), ("inboxx", "inboxx"),
        ("", nil), ("/a", nil), ("a/", nil), ("a//b", nil), ("a\u{1}", nil),
        ("Cafe\u{301}", "Cafe\u{301}"),
        (String(repeating: "a/", count: 31) + "a", String(repeating: "a/", count: 31) + "a"),
        (String(repeating: "a/", count: 32) + "a", nil),
    ]

    @Test(arguments: folders)
    func `folder paths are compared by octets, except INBOX`(text: String, expected: String?) {
        #expect(FolderPath(octets: Array(text.utf8))?.octets == expected.map { Array($0.utf8) })
    }

    /// Whether `A` may be renamed to `B`, with rights on `A`, below it, and at `B`.
    static let moves: [(subtreeA: String, folderA: String, atB: String, belowB: String, Bool)] = [
        ("lrx", "", "lr", "", true), ("lrx", "", "lrs", "", false), ("lr", "", "lr", "", false),
        ("", "lrx", "lr", "", false), ("rx", "", "", "", true), ("rx", "", "", "s", false),
        ("lx", "", "", "", false),
        ("lrsx", "", "l", "rs", true), ("lrx", "s", "lrs", "", false),
    ]

    @Test(arguments: moves)
    func `a folder cannot be moved to a place where the user has more rights`(
        row: (subtreeA: String, folderA: String, atB: String, belowB: String, isAllowed: Bool)
    ) throws {
        let a = try self.folder("A")
        let b = try self.folder("B")
        let scoped: [(String, Scope)] = [
            (row.subtreeA, .subtree(a)), (row.folderA, .folder(a)), (row.atB, .folder(b)),
            (row.belowB, .subtree(try self.folder("B/Tief"))),
        ]
        let grants = try scoped.map { letters, scope in
            self.grant(try #require(Rights(letters: letters)), scope: scope)
        }
        let snapshot = try self.snapshot(grants: grants)
        let access = snapshot.access(of: Self.anna, to: Self.account, at: Self.now)
        #expect(access.mayMove(a, to: b) == row.isAllowed)
        let owner = snapshot.access(of: Self.bob, to: Self.account, at: Self.now)
        #expect(owner.mayMove(a, to: b))
    }

    @Test func `a composed and a decomposed spelling are two folders`() throws {
        #expect(try self.folder("Caf\u{E9}") != self.folder("Cafe\u{301}"))
    }

    // MARK: - Exchange

    private func exchange(_ entries: [Grant], _ withdrawals: [Withdrawal] = []) throws -> Snapshot {
        Snapshot(
            revision: 1,
            users: [
                User(id: Self.anna, login: try self.address("anna@kanzlei.example")),
                User(id: Self.bob, login: try self.address("bob@kanzlei.example")),
            ],
            groups: [],
            accounts: [
                Account(
                    id: Self.account,
                    address: try self.address("sales@kanzlei.example"),
                    kind: .exchange
                )
            ],
            grants: entries,
            withdrawals: withdrawals,
            walls: []
        )
    }

    private func entry(
        _ rights: Rights,
        _ path: String,
        _ subject: Subject = .user(ModelTests.anna),
        via: String? = nil,
        isConfirmed: Bool = true
    ) throws -> Grant {
        Grant(
            id: 1,
            account: Self.account,
            subject: subject,
            rights: rights,
            scope: .folder(try self.folder(path)),
            source: .exchange,
            via: via,
            isConfirmed: isConfirmed
        )
    }

    @Test func `a user's Exchange entry overrides group entries, and these override Default`()
        throws
    {
        let groups = [
            try self.entry(.view, "INBOX", via: "Sales"),
            try self.entry([.insert], "INBOX", via: "Staff"),
        ]
        let all = try self.entry([.lookup, .write], "INBOX", .everyone)
        let none = try self.entry([], "INBOX")
        #expect(try self.rights(self.exchange(groups + [all])) == "lri")
        #expect(try self.rights(self.exchange([all])) == "lw")
        #expect(try self.rights(self.exchange([none, all] + groups)) == "")
        let unconfirmed = try self.entry(.view, "INBOX", .everyone, isConfirmed: false)
        #expect(try self.rights(self.exchange([unconfirmed])) == "")
        let other = try self.entry(.view, "INBOX", .user(Self.bob))
        #expect(try self.rights(self.exchange([other, all])) == "lw")
    }

    @Test func `an Exchange entry applies to its folder only`() throws {
        let snapshot = try self.exchange([try self.entry(.view, "Projects")])
        #expect(try self.rights(snapshot, "Projects") == "lr")
        #expect(try self.rights(snapshot, "Projects/A") == "")
        #expect(try self.rights(snapshot, "INBOX") == "")
    }

    @Test func `local grants on Exchange accounts and imported grants on others have no effect`()
        throws
    {
        var local = try self.entry(.view, "INBOX")
        local.source = .local
        #expect(try self.rights(self.exchange([local])) == "")
        #expect(try self.rights(self.snapshot(grants: [self.entry(.view, "INBOX")])) == "")
    }

    @Test func `a withdrawal overrides every Exchange entry`() throws {
        let withdrawal = Withdrawal(
            account: Self.account,
            subject: .user(Self.anna),
            view: true,
            send: false
        )
        for entry in [
            try self.entry(.view, "INBOX"), try self.entry(.view, "INBOX", via: "Sales"),
            try self.entry(.view, "INBOX", .everyone),
        ] {
            #expect(try self.rights(self.exchange([entry], [withdrawal])) == "")
        }
    }
}
