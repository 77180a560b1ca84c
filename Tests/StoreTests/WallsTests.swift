import Access
import Testing

@testable import Store

/// Adding, listing and removing walls.
@Suite struct WallsTests {
    @Test func `a wall is listed with its reason and author`() throws {
        let office = try Office()
        try office.group("g", "anna")
        try office.wall("b", "group:g", "Mandat 7")
        try office.wall("info", "carl")
        let walls = try office.store.walls()
        #expect(walls.map(\.account) == [Office.full("bob"), Office.full("info")])
        #expect(walls.map(\.subject) == ["group:g", Office.full("carl")])
        #expect(walls[0].reason == "Mandat 7" && walls[0].author == "test")
        #expect(walls[0].created > 0)
    }

    /// The account, the subject, the reason, and a part of the refusal.
    static let walls: [(String, String, String, String?)] = [
        ("info", "anna", "Mandat", nil), ("info", "group:g", "Mandat", nil),
        ("bob", "anna", "Mandat", nil), ("sales", "anna", "Mandat", nil),
        ("bob", "bob", "Mandat", "a wall cannot bar an owner"),
        ("b", "bob", "Mandat", "a wall cannot bar an owner"),
        ("sales", "carl", "Mandat", "a wall cannot bar an owner"),
        ("info", "anna", "", "needs a reason"),
        ("info", "anna", " \n", "needs a reason"), ("nirgends", "anna", "Mandat", "no account"),
        ("info", "nobody", "Mandat", "no user"), ("info", "group:nowhere", "Mandat", "no group"),
        ("info", "anyone", "Mandat", "no user anyone"),
    ]

    @Test(arguments: walls)
    func `a wall against an owner or without a reason is refused`(
        account: String,
        subject: String,
        reason: String,
        says: String?
    ) throws {
        let office = try Office()
        // Bob is in the group: a wall against it does not bar him from his own account.
        try office.group("g", "bob")
        let refusal = Office.refusal { try office.wall(account, subject, reason) }
        if let says {
            #expect(refusal?.contains(says) == true, "\(refusal ?? "not refused")")
        } else {
            #expect(refusal == nil)
        }
        #expect(try office.store.walls().count == (says == nil ? 1 : 0))
    }

    @Test func `a wall against a group does not bar the owner`() throws {
        let office = try Office()
        try office.group("g", "bob", "anna")
        try office.grant("bob", "anna", .edit)
        try office.wall("bob", "group:g")
        #expect(try office.access(of: "bob", to: "bob").isOwner)
        #expect(try office.access(of: "anna", to: "bob").anywhere == [])
    }

    @Test func `a duplicate wall is refused, and another subject's is not`() throws {
        let office = try Office()
        try office.group("g", "anna")
        try office.wall("info", "anna")
        #expect(Office.refusal { try office.wall("info", "ANNA@kanzlei.example") } != nil)
        try office.wall("info", "group:g")
        try office.wall("bob", "anna")
        try office.grant("info", "anna")
        for (subject, barred) in [("anna", true), ("group:g", false)] {
            try office.store.removeWall(
                account: Office.full("info"),
                subject: Office.full(subject),
                actor: "test"
            )
            #expect(try (office.access(of: "anna", to: "info").anywhere == []) == barred)
            let again = Office.refusal {
                try office.store.removeWall(
                    account: Office.full("info"),
                    subject: Office.full(subject),
                    actor: "test"
                )
            }
            #expect(again?.contains("no wall bars") == true)
        }
        #expect(try office.store.walls().map(\.account) == [Office.full("bob")])
    }

    @Test func `applying a document sets the walls and keeps their authors`() throws {
        let office = try Office()
        try office.wall("info", "anna", "Mandat")
        try office.wall("info", "carl", "Alt")
        try office.tamper("UPDATE wall SET author = 'kim', created = 5")
        var document = ModelDocument()
        document.walls = [
            .init(account: Office.full("info"), subject: Office.full("anna"), reason: "Mandat"),
            .init(account: Office.full("info"), subject: Office.full("bob"), reason: "Neu"),
        ]
        _ = try office.store.apply(document, dryRun: false, actor: "test")
        let walls = try office.store.walls()
        #expect(walls.map(\.subject) == ["anna", "bob"].map(Office.full))
        #expect(walls.map(\.author) == ["kim", "test"] && walls[0].created == 5)
        // A document cannot bar an owner either, and each wall needs a reason.
        for (account, subject, reason) in [("bob", "bob", "x"), ("info", "anna", "")] {
            document.walls = [
                .init(account: Office.full(account), subject: Office.full(subject), reason: reason)
            ]
            #expect(throws: StoreError.self) {
                try office.store.apply(document, dryRun: false, actor: "test")
            }
        }
        #expect(try office.store.walls() == walls)
    }
}
