import Access
import Store
import Testing

/// Groups whose members come from the directory.
@Suite struct DirectoryGroupTests {
    private static let team = DirectoryGroup(name: "Team", filter: "(cn=team)")

    private static func people(
        _ names: String...,
        unresolved: [String] = []
    )
        -> DirectoryGroupPeople
    {
        DirectoryGroupPeople(
            logins: names.map { [Office.full($0)] },
            unresolved: unresolved,
            moment: Moment(seconds: 5_000)
        )
    }

    private func furnished() throws -> Office {
        let office = try Office()
        try office.store.addGroup(Self.team.name, ldap: Self.team.filter, actor: "test")
        return office
    }

    private func members(_ store: PermissionStore) throws -> [String] {
        try store.group(Self.team.name).members
    }

    @Test func `the members become those of the directory, and others get nothing`() throws {
        let office = try self.furnished()
        let first = try office.store.setMembers(
            of: Self.team,
            to: Self.people("anna", "dora", "bob", unresolved: ["uid=x,dc=example"]),
            actor: "test"
        )
        #expect(first.joined == ["anna", "bob"].map(Office.full) && first.left.isEmpty)
        #expect(first.unknown == [Office.full("dora"), "uid=x,dc=example"])
        #expect(try self.members(office.store) == ["anna", "bob"].map(Office.full))
        let second = try office.store.setMembers(
            of: Self.team,
            to: Self.people("carl", "bob"),
            actor: "test"
        )
        #expect(second.joined == [Office.full("carl")] && second.left == [Office.full("anna")])
        let details = try office.store.groupDetails(Self.team.name)
        #expect(details.members == ["bob", "carl"].map(Office.full))
        #expect(details.directory?.unknown == [] && details.directory?.read == 5_000)
        let record = try #require(try office.store.auditEntries().last?.record)
        #expect(
            record.detail == [
                "group refresh Team", "joined \(Office.full("carl"))",
                "left \(Office.full("anna"))",
            ]
        )
    }

    @Test func `a login is compared as at a login, and one person may have several`() throws {
        let office = try self.furnished()
        let people = DirectoryGroupPeople(
            logins: [
                ["ANNA@Kanzlei.Example"], ["x@kanzlei.example", Office.full("bob")],
                ["аnna@kanzlei.example"], ["anna"], ["anna@kanzlei.example.test"],
                ["no login at all"],
            ],
            unresolved: [],
            moment: Moment(seconds: 1)
        )
        let change = try office.store.setMembers(of: Self.team, to: people, actor: "test")
        #expect(change.joined == ["anna", "bob"].map(Office.full))
        #expect(change.unknown.count == 4)
    }

    @Test func `a reading without a change makes no revision and no record`() throws {
        let office = try self.furnished()
        _ = try office.store.setMembers(
            of: Self.team,
            to: Self.people("anna", "dora"),
            actor: "test"
        )
        let (revision, records) = (
            try office.store.revision(), try office.store.auditEntries().count
        )
        var people = Self.people("anna", "emil")
        people.moment = Moment(seconds: 6_000)
        _ = try office.store.setMembers(of: Self.team, to: people, actor: "test")
        #expect(try office.store.revision() == revision)
        #expect(try office.store.auditEntries().count == records)
        let state = try office.store.groupDetails(Self.team.name).directory
        #expect(state?.read == 6_000 && state?.unknown == [Office.full("emil")])
    }

    @Test func `a failed reading keeps the members and the time of the last one`() throws {
        let office = try self.furnished()
        _ = try office.store.setMembers(of: Self.team, to: Self.people("anna"), actor: "test")
        try office.store.readingFailed(
            of: Self.team,
            reason: "no answer",
            at: Moment(seconds: 7_000)
        )
        #expect(try self.members(office.store) == [Office.full("anna")])
        let state = try #require(try office.store.groupDetails(Self.team.name).directory)
        #expect(state.failure == "no answer" && state.read == 5_000 && state.tried == 7_000)
        _ = try office.store.setMembers(of: Self.team, to: Self.people("anna"), actor: "test")
        #expect(try office.store.groupDetails(Self.team.name).directory?.failure == nil)
    }

    @Test func `an administrator changes no members of such a group`() throws {
        let office = try self.furnished()
        _ = try office.store.setMembers(of: Self.team, to: Self.people("anna"), actor: "test")
        for change in [office.store.join, office.store.leave]
            as [([String], String, String) throws -> Void]
        {
            let error = #expect(throws: StoreError.self) {
                try change([Office.full("anna")], Self.team.name, "test")
            }
            #expect(error?.description.contains("gatepost group refresh Team") == true)
        }
        #expect(try self.members(office.store) == [Office.full("anna")])
    }

    @Test func `each group that is due is claimed once`() throws {
        let office = try self.furnished()
        try office.store.addGroup("Other", ldap: "(cn=other)", actor: "test")
        try office.store.addGroup("Own", actor: "test")
        func claim(_ seconds: Int64) throws -> [String] {
            try office.store.claimDirectoryGroups(every: 60, at: Moment(seconds: seconds)).map(
                \.name
            )
        }
        #expect(try claim(1_000) == ["Other", "Team"])
        #expect(try claim(1_059).isEmpty)
        #expect(try claim(1_060) == ["Other", "Team"])
        // The clock was set back.
        #expect(try claim(100) == ["Other", "Team"])
    }

    @Test func `a reading of an old filter or a group that is gone changes nothing`() throws {
        let office = try self.furnished()
        var old = Self.team
        old.filter = "(cn=old)"
        #expect(throws: StoreError.self) {
            try office.store.setMembers(of: old, to: Self.people("anna"), actor: "test")
        }
        try office.store.readingFailed(of: old, reason: "x", at: Moment(seconds: 1))
        #expect(try office.store.groupDetails(Self.team.name).directory?.failure == nil)
        try office.store.removeGroup(Self.team.name, actor: "test")
        #expect(throws: StoreError.self) {
            try office.store.setMembers(of: Self.team, to: Self.people("anna"), actor: "test")
        }
        try office.store.addGroup(Self.team.name, actor: "test")
        #expect(throws: StoreError.self) {
            try office.store.setMembers(of: Self.team, to: Self.people("anna"), actor: "test")
        }
        #expect(try self.members(office.store).isEmpty)
    }

    @Test func `a document has the filter, and old members only for a new group`() throws {
        let office = try self.furnished()
        _ = try office.store.setMembers(of: Self.team, to: Self.people("anna"), actor: "test")
        var document = try office.store.export()
        #expect(document.groups?.first?.ldap == Self.team.filter)
        // The document is older than the members.
        _ = try office.store.setMembers(of: Self.team, to: Self.people("bob"), actor: "test")
        #expect(try office.store.apply(document, dryRun: false, actor: "test").isEmpty)
        #expect(try self.members(office.store) == [Office.full("bob")])
        // A store that was lost gets the members of the document until the next reading.
        try office.store.removeGroup(Self.team.name, actor: "test")
        _ = try office.store.apply(document, dryRun: false, actor: "test")
        #expect(try self.members(office.store) == [Office.full("anna")])
        #expect(try office.store.groupDetails(Self.team.name).directory?.filter == Self.team.filter)
        // Another filter keeps the members until it is read.
        document.groups?[0].ldap = "(cn=other)"
        _ = try office.store.apply(document, dryRun: false, actor: "test")
        #expect(try office.store.groupDetails(Self.team.name).directory?.filter == "(cn=other)")
        // Without a filter, the group has members of its own.
        document.groups?[0].ldap = nil
        document.groups?[0].members = [Office.full("carl")]
        _ = try office.store.apply(document, dryRun: false, actor: "test")
        #expect(try office.store.groupDetails(Self.team.name).directory == nil)
        #expect(try self.members(office.store) == [Office.full("carl")])
        try office.store.join([Office.full("anna")], to: Self.team.name, actor: "test")
    }

    @Test(arguments: [50, 300])
    func `few and many members are found alike`(count: Int) throws {
        let office = try self.furnished()
        for number in 0..<count {
            try office.store.addUser(NewUser("u\(number)@x.example"), actor: "test")
        }
        let people = DirectoryGroupPeople(
            logins: (0..<(count + 1)).map { ["U\($0)@X.example"] },
            unresolved: [],
            moment: Moment(seconds: 1)
        )
        let change = try office.store.setMembers(of: Self.team, to: people, actor: "test")
        #expect(change.joined.count == count && change.unknown == ["U\(count)@X.example"])
        #expect(try self.members(office.store).count == count)
    }

    @Test(arguments: ["", "cn=team", "(cn=\u{0})", "(\(String(repeating: "x", count: 4_096)))"])
    func `a text that is no filter is refused with a remedy`(filter: String) throws {
        let office = try Office()
        let error = #expect(throws: StoreError.self) {
            try office.store.addGroup("Team", ldap: filter, actor: "test")
        }
        #expect(error?.description.contains("(cn=Sekretariat)") == true)
        #expect(try office.store.groups().isEmpty)
    }

    @Test func `the rights of a grant follow the members`() throws {
        let office = try self.furnished()
        try office.grant("bob", "group:Team")
        func sees(_ name: String) throws -> Bool {
            try !office.access(of: name, to: "bob").rights(in: Office.path("INBOX")).isEmpty
        }
        #expect(try !sees("anna"))
        _ = try office.store.setMembers(of: Self.team, to: Self.people("anna"), actor: "test")
        #expect(try sees("anna"))
        _ = try office.store.setMembers(of: Self.team, to: Self.people("carl"), actor: "test")
        #expect(try !sees("anna") && sees("carl"))
    }
}
