import Support
import Testing

@testable import Access

/// What a SETACL or DELETEACL of an owner does to the grants.
@Suite struct ACLEditTests {
    private static let bob = UserID(2)
    private static let anna = Subject.user(UserID(1))
    private static let account = AccountID(1)
    private static let now = Moment(seconds: 100)

    private static func path(_ name: String) throws -> FolderPath {
        try #require(FolderPath(octets: Array(name.utf8)))
    }

    private static func snapshot(
        _ grants: [Grant],
        kind: Account.Kind = .imap,
        isDisabled: Bool = false
    ) throws -> Snapshot {
        Snapshot(
            revision: 1,
            users: [
                User(id: UserID(1), login: try #require(Address("anna@x.example".utf8))),
                User(
                    id: Self.bob,
                    login: try #require(Address("bob@x.example".utf8)),
                    isDisabled: isDisabled
                ),
            ],
            groups: [Group(id: GroupID(1), name: "office", members: [Self.anna])],
            accounts: [
                Account(
                    id: Self.account,
                    address: try #require(Address("bob@x.example".utf8)),
                    kind: kind,
                    owner: Self.bob
                )
            ],
            grants: grants,
            withdrawals: [],
            walls: []
        )
    }

    private static func change(
        _ kind: ACLChange.Kind,
        _ letters: String,
        folder: String = "Akten",
        owner: UserID = bob
    ) throws -> ACLChange {
        ACLChange(
            owner: owner,
            account: Self.account,
            folder: try Self.path(folder),
            identifier: Array("anna@x.example".utf8),
            kind: kind,
            rights: try #require(Rights(letters: letters))
        )
    }

    /// A grant of Anna: its rights, its scope (`=` one folder, `/` a folder and below, `*` the account), its end.
    private static func grants(_ texts: [String], to subject: Subject = anna) throws -> [Grant] {
        try texts.enumerated().map { index, text in
            let words = text.split(separator: " ")
            let name = words[1].dropFirst()
            let scope: Scope =
                switch words[1].first {
                case "=": .folder(try Self.path(String(name)))
                case "/": .subtree(try Self.path(String(name)))
                default: .account
                }
            return Grant(
                id: Int64(index),
                account: Self.account,
                subject: subject,
                rights: try #require(Rights(letters: words[0] == "-" ? "" : String(words[0]))),
                scope: scope,
                until: words.count > 2 ? Moment(seconds: try #require(Int64(words[2]))) : nil
            )
        }
    }

    /// Grants, the change, what is written for the folder (`none` for nothing), its end, and the result.
    static let rows: [([String], ACLChange.Kind, String, String, Int64?, String)] = [
        ([], .replace, "lr", "lr", nil, "lr"), ([], .add, "lr", "lr", nil, "lr"),
        ([], .remove, "lr", "none", nil, ""), ([], .replace, "", "none", nil, ""),
        (["lr =Akten"], .add, "sw", "lrsw", nil, "lrsw"),
        (["lrsw =Akten"], .remove, "rw", "ls", nil, "ls"),
        (["lr =Akten"], .remove, "lr", "none", nil, ""),
        (["lr =Akten"], .replace, "i", "i", nil, "i"),
        (["l =Akten", "r =Akten"], .add, "s", "lrs", nil, "lrs"),
        // The folder next door, above and below.
        (["lrsw =Aktenberg"], .add, "l", "l", nil, "l"),
        (["lrsw =AKTEN"], .add, "l", "l", nil, "l"),
        (["lrsw =Akten/Neu"], .replace, "", "none", nil, ""),
        (["lrsw /Akten/Neu"], .remove, "r", "none", nil, ""),
        // What is granted for more stays, and is not written twice.
        (["lr *"], .add, "l", "none", nil, "lr"), (["lr *"], .add, "s", "s", nil, "lrs"),
        (["lr /Akten"], .replace, "lr", "none", nil, "lr"),
        (["lr /Akten"], .replace, "lrs", "lrs", nil, "lrs"),
        (["lr *", "sw =Akten"], .remove, "s", "w", nil, "lrw"),
        (["lr *", "s =Akten"], .remove, "s", "none", nil, "lr"),
        // What was given for a time, and is changed, ends when it was to end; what is replaced is for good.
        (["lr =Akten 500"], .add, "s", "lrs", 500, "lrs"),
        (["lr =Akten 500", "s =Akten 700"], .add, "w", "lrsw", 700, "lrsw"),
        (["lr =Akten 500", "s =Akten"], .add, "w", "lrsw", nil, "lrsw"),
        (["lr =Akten 500"], .remove, "r", "l", 500, "l"),
        (["lr =Akten 500"], .replace, "lr", "lr", nil, "lr"),
        (["- =Akten", "lr =Akten 500"], .add, "s", "lrs", 500, "lrs"),
        // What has ended gives nothing and keeps nothing.
        (["lrsw =Akten 100"], .add, "l", "l", nil, "l"),
        (["lr * 99"], .replace, "", "none", nil, ""), (["lr * 101"], .add, "s", "s", nil, "lrs"),
    ]

    @Test(arguments: rows)
    func `a change is the folder's grant, beside what is granted for more`(
        grants: [String],
        kind: ACLChange.Kind,
        letters: String,
        written: String,
        until: Int64?,
        result: String
    ) throws {
        let snapshot = try Self.snapshot(try Self.grants(grants))
        let edit = try snapshot.edit(
            for: try Self.change(kind, letters),
            subject: Self.anna,
            at: Self.now
        )
        #expect((edit.rights?.isEmpty ?? true ? "none" : edit.rights?.letters) == written)
        if written != "none" { #expect(edit.until?.seconds == until) }
        #expect(edit.result.letters == result)
    }

    /// What cannot be taken away in the folder.
    @Test(arguments: [
        ("lr *", ACLChange.Kind.replace, "", true), ("lr *", .replace, "l", true),
        ("lr *", .replace, "lr", false), ("lr /Akten", .remove, "r", true),
        ("lr /Akten", .remove, "s", false), ("lr *", .add, "", false),
        ("lr /Aktenberg", .replace, "", false), ("lr =Akten", .replace, "", false),
        ("lr * 99", .remove, "r", false),
    ])
    func `what a grant for more gives is not taken away here`(
        grant: String,
        kind: ACLChange.Kind,
        letters: String,
        isRefused: Bool
    ) throws {
        let snapshot = try Self.snapshot(try Self.grants([grant]))
        let change = try Self.change(kind, letters)
        var outcome = ACLChange.Outcome.done
        do {
            _ = try snapshot.edit(for: change, subject: Self.anna, at: Self.now)
        } catch {
            outcome = error
        }
        #expect(outcome == (isRefused ? .grantedElsewhere : .done))
    }

    @Test func `a grant of a group, or of somebody else, is another's`() throws {
        let office = Subject.group(GroupID(1))
        let snapshot = try Self.snapshot(try Self.grants(["lrsw *", "lr =Akten"], to: office))
        let change = try Self.change(.replace, "")
        let edit = try snapshot.edit(for: change, subject: Self.anna, at: Self.now)
        #expect(edit.result == [])
        #expect(throws: ACLChange.Outcome.grantedElsewhere) {
            try snapshot.edit(for: change, subject: office, at: Self.now)
        }
    }

    @Test func `only an owner who may log in shares, on an account of IMAP, with another`() throws {
        let change = try Self.change(.add, "lr")
        func outcome(
            _ snapshot: Snapshot,
            _ change: ACLChange,
            _ subject: Subject?
        ) -> ACLChange.Outcome {
            do {
                _ = try snapshot.edit(for: change, subject: subject, at: Self.now)
                return .done
            } catch {
                return error
            }
        }
        let usual = try Self.snapshot([])
        #expect(outcome(usual, change, Self.anna) == .done)
        #expect(outcome(usual, change, nil) == .unknownIdentifier)
        #expect(outcome(usual, change, .everyone) == .unknownIdentifier)
        #expect(outcome(usual, change, .user(Self.bob)) == .unknownIdentifier)
        var others = change
        others.owner = UserID(1)
        #expect(outcome(usual, others, .user(Self.bob)) == .failed)
        var elsewhere = change
        elsewhere.account = AccountID(9)
        #expect(outcome(usual, elsewhere, Self.anna) == .failed)
        #expect(outcome(try Self.snapshot([], kind: .exchange), change, Self.anna) == .failed)
        #expect(outcome(try Self.snapshot([], isDisabled: true), change, Self.anna) == .failed)
    }

    /// After the edit the decision gives in the folder what the edit said, and elsewhere what it gave before.
    @Test func `the result is what the decision gives then`() throws {
        var generator = Seeded(state: 23)
        let folders = ["Akten", "Akten/Neu", "Aktenberg", "Post"]
        for _ in 0..<2_000 {
            let grants = try (0..<Int.random(in: 0...5, using: &generator)).map { index in
                let name = folders.randomElement(using: &generator) ?? "Akten"
                let path = try Self.path(name)
                let until = Int64.random(in: 98...104, using: &generator)
                return Grant(
                    id: Int64(index),
                    account: Self.account,
                    subject: Self.anna,
                    rights: World.rights(using: &generator),
                    scope: [.account, .folder(path), .subtree(path)]
                        .randomElement(using: &generator) ?? .account,
                    until: until == 104 ? nil : Moment(seconds: until)
                )
            }
            let before = try Self.snapshot(grants)
            var change = try Self.change(.add, "")
            change.rights = World.rights(using: &generator)
            change.kind = [.replace, .add, .remove].randomElement(using: &generator) ?? .add
            let edit: ACLEdit
            do {
                edit = try before.edit(for: change, subject: Self.anna, at: Self.now)
            } catch {
                #expect(error == .grantedElsewhere)
                continue
            }
            var after = grants.filter { $0.scope != .folder(change.folder) }
            if let rights = edit.rights {
                after.append(
                    Grant(
                        id: 99,
                        account: Self.account,
                        subject: Self.anna,
                        rights: rights,
                        scope: .folder(change.folder),
                        until: edit.until
                    )
                )
            }
            let snapshot = try Self.snapshot(after)
            let (old, new) = (
                before.access(of: UserID(1), to: Self.account, at: Self.now),
                snapshot.access(of: UserID(1), to: Self.account, at: Self.now)
            )
            #expect(new.rights(in: change.folder) == edit.result)
            switch change.kind {
            case .replace: #expect(edit.result == change.rights)
            case .add:
                #expect(edit.result == old.rights(in: change.folder).union(change.rights))
            case .remove:
                #expect(edit.result == old.rights(in: change.folder).subtracting(change.rights))
            }
            for name in folders.dropFirst() {
                let other = try Self.path(name)
                #expect(new.rights(in: other) == old.rights(in: other))
            }
        }
    }
}
