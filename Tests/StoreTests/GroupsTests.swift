import Access
import Store
import Testing

/// Groups, their members, and refusals to remove a group.
@Suite struct GroupsTests {
    /// Names, and whether they are valid.
    static let names: [(String, Bool)] = [
        ("Sekretariat", true), ("Büro 2", true), ("a", true), ("x@y.example", true),
        (String(repeating: "x", count: 200), true), (String(repeating: "x", count: 201), false),
        (String(repeating: "é", count: 100), true), (String(repeating: "é", count: 101), false),
        ("", false), (" ", false), ("\t", false), ("a\nb", false), ("a\u{0}", false),
        ("a\u{200B}b", false), ("a\u{202E}b", false), ("a\u{2028}b", false), ("\u{3000}", false),
        ("\u{1F600}", true), ("group:x", true), ("-x", true),
    ]

    @Test(arguments: names)
    func `a group name is visible and has 1 to 200 octets`(name: String, isAllowed: Bool) throws {
        let office = try Office()
        let refusal = Office.refusal { try office.group(name) }
        #expect((refusal == nil) == isAllowed, "\(refusal ?? "taken")")
        #expect(try office.store.groups().map(\.name) == (isAllowed ? [name] : []))
    }

    @Test func `members are sorted by name, and groups have a prefix`() throws {
        let office = try Office()
        try office.group("inner", "carl")
        try office.group("outer", "group:inner", "bob", "anna")
        #expect(
            try office.store.group("outer").members
                == ["anna@kanzlei.example", "bob@kanzlei.example", "group:inner"]
        )
        #expect(try office.store.groups().map(\.name) == ["inner", "outer"])
        // Joining twice has no further effect.
        try office.store.join([Office.full("anna")], to: "outer", actor: "test")
        #expect(try office.store.group("outer").members.count == 3)
    }

    @Test func `one invalid member leaves the group unchanged`() throws {
        let office = try Office()
        try office.group("g")
        let before = try office.store.export()
        for member in ["nobody@kanzlei.example", "group:nowhere", "group:g", "", "anyone"] {
            let refusal = Office.refusal {
                try office.store.join([Office.full("anna"), member], to: "g", actor: "test")
            }
            #expect(refusal != nil, "\(member)")
        }
        #expect(try office.store.export() == before)
    }

    @Test func `removing a member that is not in the group is refused`() throws {
        let office = try Office()
        try office.group("g", "anna", "bob")
        try office.group("h", "carl")
        let rows: [(String, String?)] = [
            ("carl", "carl@kanzlei.example is not in g"), ("group:h", "group:h is not in g"),
            ("group:g", "group:g is not in g"), ("dora", "no user dora@kanzlei.example"),
        ]
        for (member, says) in rows {
            let refusal = Office.refusal {
                try office.store.leave(
                    [Office.full("anna"), Office.full(member)],
                    from: "g",
                    actor: "t"
                )
            }
            #expect(refusal?.contains(says ?? "?") == true, "\(refusal ?? "not refused")")
        }
        // Anna is still a member.
        #expect(try office.store.group("g").members.count == 2)
        try office.store.leave([Office.full("anna")], from: "g", actor: "test")
        #expect(try office.store.group("g").members == ["bob@kanzlei.example"])
    }

    @Test func `a group's grants apply to its members while they are members`() throws {
        let office = try Office()
        try office.group("inner")
        try office.group("outer", "group:inner")
        try office.grant("info", "group:outer", .edit)
        #expect(try office.access(of: "anna", to: "info").anywhere == [])
        try office.store.join([Office.full("anna")], to: "inner", actor: "test")
        #expect(try office.access(of: "anna", to: "info").coversAccount == .edit)
        try office.store.leave(["group:inner"], from: "outer", actor: "test")
        #expect(try office.access(of: "anna", to: "info").anywhere == [])
        try office.store.join(["group:inner"], to: "outer", actor: "test")
        try office.store.removeGroup("inner", actor: "test")
        #expect(try office.access(of: "anna", to: "info").anywhere == [])
        #expect(try office.store.group("outer").members.isEmpty)
    }

    @Test(arguments: ["wall", "withdrawal"])
    func `a group with a wall or a withdrawal cannot be removed`(bar: String) throws {
        let office = try Office()
        try office.group("g", "anna")
        if bar == "wall" {
            try office.wall("info", "group:g")
        } else {
            try office.withdraw("sales", "group:g", .both)
        }
        let account = Office.full(bar == "wall" ? "info" : "sales")
        let refusal = Office.refusal { try office.store.removeGroup("g", actor: "test") }
        #expect(refusal?.contains("group:g is kept out of \(account)") == true)
        #expect(refusal?.contains("user disable") == false)
        // Its members may still change, and a group that contains it may be removed.
        try office.group("outer", "group:g")
        try office.store.leave([Office.full("anna")], from: "g", actor: "test")
        try office.store.removeGroup("outer", actor: "test")
        if bar == "wall" {
            try office.store.removeWall(account: account, subject: "group:g", actor: "test")
        } else {
            try office.restore("sales", "group:g", .both)
        }
        try office.store.removeGroup("g", actor: "test")
        #expect(try office.store.groups().isEmpty)
    }

    @Test func `a second group of the same name is refused, in each Unicode form`() throws {
        let office = try Office()
        try office.group("Café")
        #expect(Office.refusal { try office.group("Café") }?.contains("exists") == true)
        try office.group("Cafe\u{301}")
        try office.group("CAFÉ")
        #expect(try office.store.groups().count == 3)
    }
}
