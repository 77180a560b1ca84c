import Support
import Testing

@testable import Access

/// Decisions on edits, against the sentences of the model and against a second decision that looks at
/// everything.
@Suite struct EditsTests {
    private static let anna = Subject.user(UserID(1))
    private static let bob = Subject.user(UserID(2))
    private static let carl = Subject.user(UserID(3))
    private static let office = Subject.group(GroupID(1))
    private static let inner = Subject.group(GroupID(2))
    private static let other = Subject.group(GroupID(3))
    private static let info = AccountID(1)
    private static let sales = AccountID(2)

    /// Anna is in `inner`, which is in `office`; Carl is in `other`. Bob owns both accounts, of which `sales`
    /// is one of Exchange.
    private static func snapshot(
        grants: [Grant] = [],
        withdrawals: [Withdrawal] = [],
        walls: [Wall] = []
    ) throws -> Snapshot {
        let logins = try ["anna", "bob", "carl"].map {
            try #require(Address("\($0)@kanzlei.example".utf8))
        }
        return Snapshot(
            revision: 1,
            users: logins.enumerated().map { User(id: UserID(Int64($0) + 1), login: $1) },
            groups: [
                Group(id: GroupID(1), name: "office", members: [Self.inner]),
                Group(id: GroupID(2), name: "inner", members: [Self.anna]),
                Group(id: GroupID(3), name: "other", members: [Self.carl]),
            ],
            accounts: [
                Account(
                    id: Self.info,
                    address: try #require(Address("info@kanzlei.example".utf8)),
                    owner: UserID(2)
                ),
                Account(
                    id: Self.sales,
                    address: try #require(Address("sales@kanzlei.example".utf8)),
                    kind: .exchange,
                    owner: UserID(2)
                ),
            ],
            grants: grants,
            withdrawals: withdrawals,
            walls: walls
        )
    }

    private static func refusal(_ body: () throws(EditRefusal) -> Void) -> EditRefusal? {
        do {
            try body()
            return nil
        } catch {
            return error
        }
    }

    // MARK: - Walls

    /// Whom a wall before a subject bars.
    @Test(arguments: [
        (anna, [anna]), (inner, [inner, anna]), (office, [office, inner, anna]),
        (other, [other, carl]), (carl, [carl]), (bob, [bob]),
    ])
    func `a wall bars whoever is in what it names`(walled: Subject, barred: [Subject]) throws {
        let wall = Wall(account: Self.info, subject: walled, reason: "Mandat")
        let snapshot = try Self.snapshot(walls: [wall])
        for subject in [Self.anna, Self.bob, Self.carl, Self.office, Self.inner, Self.other] {
            let walls = snapshot.walls(barring: subject, from: Self.info)
            #expect(walls == (barred.contains(subject) ? [wall] : []), "\(subject)")
            #expect(snapshot.walls(barring: subject, from: Self.sales).isEmpty)
        }
    }

    @Test func `a wall stands once, and never before the owner`() throws {
        let wall = Wall(account: Self.info, subject: Self.inner, reason: "Mandat")
        let snapshot = try Self.snapshot(walls: [wall])
        #expect(
            Self.refusal { () throws(EditRefusal) in
                try snapshot.requireWall(Self.inner, at: Self.info)
            } == .wallStands
        )
        #expect(
            Self.refusal { () throws(EditRefusal) in
                try snapshot.requireWall(Self.bob, at: Self.info)
            } == .isOwner
        )
        // Another wall that bars the same people is another wall, and so is one at another account.
        for (subject, account) in [
            (Self.office, Self.info), (Self.anna, Self.info), (Self.inner, Self.sales),
        ] {
            #expect(
                Self.refusal { () throws(EditRefusal) in
                    try snapshot.requireWall(subject, at: account)
                } == nil
            )
        }
    }

    // MARK: - Withdrawals

    @Test(arguments: [Sides.view, .send, .both])
    func `a withdrawal from an outer group reaches who is in an inner one`(sides: Sides) throws {
        let snapshot = try Self.snapshot(withdrawals: [
            Withdrawal(
                account: Self.sales,
                subject: Self.office,
                view: sides.contains(.view),
                send: sides.contains(.send)
            )
        ])
        for subject in [Self.office, Self.inner, Self.anna] {
            #expect(snapshot.sidesWithdrawn(from: subject, on: Self.sales) == sides)
            #expect(
                snapshot.sidesWithdrawn(from: subject, on: Self.sales, source: .local) == sides
            )
            #expect(
                snapshot.sidesWithdrawn(from: subject, on: Self.sales, source: .exchange) == []
            )
            #expect(snapshot.sidesWithdrawn(from: subject, on: Self.info) == [])
        }
        for subject in [Self.bob, Self.carl, Self.other] {
            #expect(snapshot.sidesWithdrawn(from: subject, on: Self.sales) == [])
        }
    }

    /// What is withdrawn before, what is withdrawn then, and what becomes of it.
    @Test(arguments: [
        (Sides(), Sides.view, Sides.view), (Sides(), .both, .both), (.view, .send, .both),
        (.view, .both, .both), (.send, .view, .both),
    ])
    func `a withdrawal adds to what is withdrawn`(before: Sides, more: Sides, after: Sides) throws {
        let withdrawal = Withdrawal(
            account: Self.sales,
            subject: Self.anna,
            view: before.contains(.view),
            send: before.contains(.send)
        )
        let snapshot = try Self.snapshot(withdrawals: before.isEmpty ? [] : [withdrawal])
        #expect(try snapshot.withdrawing(more, from: Self.anna, on: Self.sales) == after)
        guard !before.isEmpty else { return }
        #expect(try snapshot.restoring(after, to: Self.anna, on: Self.sales) == [])
    }

    @Test func `what is withdrawn already, or from the owner, is refused`() throws {
        let snapshot = try Self.snapshot(withdrawals: [
            Withdrawal(account: Self.sales, subject: Self.anna, view: true, send: false),
            Withdrawal(
                account: Self.sales,
                subject: Self.carl,
                view: true,
                send: true,
                source: .exchange
            ),
        ])
        func withdrawing(_ sides: Sides, _ subject: Subject, _ account: AccountID) -> EditRefusal? {
            Self.refusal { () throws(EditRefusal) in
                _ = try snapshot.withdrawing(sides, from: subject, on: account)
            }
        }
        func restoring(_ sides: Sides, _ subject: Subject, _ account: AccountID) -> EditRefusal? {
            Self.refusal { () throws(EditRefusal) in
                _ = try snapshot.restoring(sides, to: subject, on: account)
            }
        }
        #expect(withdrawing(.view, Self.anna, Self.sales) == .withdrawnAlready)
        #expect(withdrawing(.both, Self.anna, Self.sales) == nil)
        #expect(withdrawing(.view, Self.bob, Self.sales) == .isOwner)
        #expect(withdrawing(.view, Self.anna, Self.info) == .grantsComeFrom(.local))
        // A group that contains her has its own, and what Exchange denies is not withdrawn here.
        #expect(withdrawing(.view, Self.inner, Self.sales) == nil)
        #expect(withdrawing(.both, Self.carl, Self.sales) == nil)
        #expect(restoring(.view, Self.anna, Self.sales) == nil)
        #expect(restoring(.send, Self.anna, Self.sales) == .nothingWithdrawn)
        #expect(restoring(.both, Self.carl, Self.sales) == .nothingWithdrawn)
        #expect(restoring(.view, Self.inner, Self.sales) == .nothingWithdrawn)
        #expect(restoring(.view, Self.anna, Self.info) == .grantsComeFrom(.local))
    }

    @Test func `grants come from one source, and those of an unknown account from none`() throws {
        let snapshot = try Self.snapshot()
        let rows: [(Source, AccountID, EditRefusal?)] = [
            (.local, Self.info, nil), (.exchange, Self.sales, nil),
            (.local, Self.sales, .grantsComeFrom(.exchange)),
            (.exchange, Self.info, .grantsComeFrom(.local)),
            (.local, AccountID(9), .grantsComeFrom(.exchange)),
            (.exchange, AccountID(9), .grantsComeFrom(.local)),
        ]
        for (source, account, expected) in rows {
            let refusal = Self.refusal { () throws(EditRefusal) in
                try snapshot.requireGrants(from: source, on: account)
            }
            #expect(refusal == expected, "\(source) on \(account)")
        }
    }

    // MARK: - Groups and removal

    @Test(arguments: [
        (office, GroupID(2), true), (office, GroupID(1), true), (inner, GroupID(2), true),
        (inner, GroupID(1), false), (other, GroupID(1), false), (office, GroupID(3), false),
        (anna, GroupID(2), false), (carl, GroupID(2), false),
    ])
    func `a group is never inside itself`(
        member: Subject,
        group: GroupID,
        isRefused: Bool
    ) throws {
        let snapshot = try Self.snapshot()
        let refusal = Self.refusal { () throws(EditRefusal) in
            try snapshot.requireMember(member, of: group)
        }
        #expect(refusal == (isRefused ? .groupCycle : nil))
    }

    @Test func `who is kept out, or owns something, stays`() throws {
        let snapshot = try Self.snapshot(
            withdrawals: [
                Withdrawal(account: Self.sales, subject: Self.anna, view: true, send: false),
                Withdrawal(
                    account: Self.sales,
                    subject: Self.other,
                    view: true,
                    send: true,
                    source: .exchange
                ),
            ],
            walls: [
                Wall(account: Self.info, subject: Self.anna, reason: "Mandat"),
                Wall(account: Self.info, subject: Self.office, reason: "Mandat"),
            ]
        )
        let rows: [(Subject, EditRefusal?)] = [
            (Self.anna, .keptOut(of: [Self.info, Self.sales])),
            (Self.office, .keptOut(of: [Self.info])),
            // Neither what names a group that contains it, nor what Exchange denies, keeps it.
            (Self.inner, nil), (Self.other, nil), (Self.carl, nil),
            (Self.bob, .owns([Self.info, Self.sales])),
        ]
        for (subject, expected) in rows {
            let refusal = Self.refusal { () throws(EditRefusal) in
                try snapshot.requireRemovable(subject)
            }
            #expect(refusal == expected, "\(subject)")
        }
        let ofDocument = Self.refusal { () throws(EditRefusal) in
            try snapshot.requireNotKeptOut(Self.bob)
        }
        #expect(ofDocument == nil)
    }

    // MARK: - Consent

    private static func grant(
        _ rights: Rights,
        _ send: SendRight = .none,
        to subject: Subject = anna,
        scope: Scope = .account,
        until: Int64? = nil,
        isConfirmed: Bool = true
    ) -> Grant {
        Grant(
            id: 1,
            account: Self.info,
            subject: subject,
            rights: rights,
            send: send,
            scope: scope,
            until: until.map(Moment.init(seconds:)),
            isConfirmed: isConfirmed
        )
    }

    private static let folder = FolderPath(octets: Array("Akten".utf8)).map { Scope.folder($0) }
    private static let subtree = FolderPath(octets: Array("Akten".utf8)).map { Scope.subtree($0) }

    /// What the same subject has, what it is to get, and whether the owner is asked.
    static let consents: [(Grant, Grant, Bool)] = [
        (grant(.edit), grant(.view), false), (grant(.view), grant(.edit), true),
        (grant(.view), grant(.view), false), (grant(.view, .as), grant(.view, .onBehalf), false),
        (grant(.view, .onBehalf), grant(.view, .as), true), (grant(.view), grant([], .as), true),
        // For a time, and for longer than that.
        (grant(.view), grant(.view, until: 50), false),
        (grant(.view, until: 50), grant(.view, until: 50), false),
        (grant(.view, until: 50), grant(.view, until: 51), true),
        (grant(.view, until: 50), grant(.view), true),
        // What waits gives nothing yet.
        (grant(.view, isConfirmed: false), grant(.view), true),
        // The wrong subject, and the folder next door.
        (grant(.manage, to: office), grant(.view), true),
        (grant(.manage, to: carl), grant(.view), true),
        (grant(.manage), grant(.view, scope: folder ?? .account), true),
        (grant(.manage, scope: subtree ?? .account), grant(.view, scope: folder ?? .account), true),
        (grant(.manage, scope: folder ?? .account), grant(.view, scope: folder ?? .account), false),
    ]

    @Test(arguments: consents)
    func `the owner is asked where a grant gives more`(
        known: Grant,
        wanted: Grant,
        isAsked: Bool
    ) throws {
        let snapshot = try Self.snapshot(grants: [known])
        #expect(snapshot.needsConsent(wanted) == isAsked)
    }

    @Test func `nobody is asked for an own account, or one without an owner`() throws {
        let snapshot = try Self.snapshot()
        #expect(!snapshot.needsConsent(Self.grant(.manage, to: Self.bob)))
        var elsewhere = Self.grant(.manage)
        elsewhere.account = AccountID(9)
        #expect(!snapshot.needsConsent(elsewhere))
        #expect(snapshot.ownerToTell(of: Self.anna, on: Self.info) == UserID(2))
        #expect(snapshot.ownerToTell(of: Self.bob, on: Self.info) == nil)
        #expect(snapshot.ownerToTell(of: Self.office, on: AccountID(9)) == nil)
    }

    @Test func `grants wait for the owner of their account alone`() throws {
        var waiting = Self.grant(.view, isConfirmed: false)
        var counting = Self.grant(.view)
        counting.id = 2
        var imported = Self.grant(.view, to: Self.carl, isConfirmed: false)
        imported.id = 3
        imported.source = .exchange
        var later = waiting
        later.id = 4
        later.account = Self.sales
        waiting.id = 9
        let snapshot = try Self.snapshot(grants: [waiting, counting, imported, later])
        #expect(snapshot.grants(awaiting: UserID(2)).map(\.id) == [4, 9])
        #expect(snapshot.grants(awaiting: UserID(1)).isEmpty)
        #expect(snapshot.grants(awaiting: UserID(77)).isEmpty)
    }

    // MARK: - Random models

    @Test func `both decide alike on who is reached`() {
        var generator = Seeded(state: 20)
        for _ in 0..<600 {
            let world = World(&generator)
            let snapshot = world.snapshot
            for subject in world.allSubjects {
                for account in world.accounts.map(\.id) {
                    let walls = world.walls.filter {
                        $0.account == account && world.isOrContains($0.subject, subject)
                    }
                    #expect(snapshot.walls(barring: subject, from: account) == walls)
                    for source in [Source.local, .exchange, nil] {
                        let withdrawn = world.withdrawals.filter {
                            $0.account == account && world.isOrContains($0.subject, subject)
                                && (source == nil || $0.source == source)
                        }
                        let sides = snapshot.sidesWithdrawn(
                            from: subject,
                            on: account,
                            source: source
                        )
                        #expect(sides.contains(.view) == withdrawn.contains(where: \.view))
                        #expect(sides.contains(.send) == withdrawn.contains(where: \.send))
                    }
                }
            }
        }
    }

    /// What a list says of a subject is what the decision does to each user in it.
    @Test func `who is barred or withdrawn from has nothing there`() {
        var generator = Seeded(state: 21)
        let now = Moment(seconds: 1)
        for _ in 0..<600 {
            let world = World(&generator)
            let snapshot = world.snapshot
            for subject in world.allSubjects {
                let users = world.users.map(\.id).filter {
                    world.isOrContains(subject, .user($0))
                }
                for account in world.accounts.map(\.id) {
                    let isBarred = !snapshot.walls(barring: subject, from: account).isEmpty
                    let sides = snapshot.sidesWithdrawn(from: subject, on: account)
                    for user in users where world.owner(of: account) != user {
                        let access = snapshot.access(of: user, to: account, at: now)
                        if isBarred || sides.contains(.view) { #expect(access.anywhere == []) }
                        if isBarred || sides.contains(.send) { #expect(access.send == .none) }
                    }
                }
            }
        }
    }

    @Test func `a member that would make a cycle is the one that contains the group`() {
        var generator = Seeded(state: 22)
        for _ in 0..<600 {
            let world = World(&generator)
            let snapshot = world.snapshot
            for subject in world.allSubjects {
                for group in world.groups.map(\.id) {
                    let refusal = Self.refusal { () throws(EditRefusal) in
                        try snapshot.requireMember(subject, of: group)
                    }
                    let isCycle = world.isOrContains(subject, .group(group))
                    #expect(refusal == (isCycle ? .groupCycle : nil))
                }
            }
        }
    }
}
