import Access
import Testing

@testable import Store

/// The removal of the grants on one folder.
@Suite struct GrantsOnFolderTests {
    private static let anna = Office.full("anna")
    private static let info = Office.full("info")

    private func furnished() throws -> Office {
        let office = try Office()
        let files = try Office.path("Akten")
        try office.grant("info", "anna", scope: .folder(files))
        try office.grant("info", "anna", .edit, send: .as, scope: .subtree(files))
        try office.grant("info", "anna", scope: .folder(try Office.path("Akten/Alt")))
        try office.grant("info", "bob", scope: .folder(files))
        return office
    }

    private func remove(
        _ sides: Sides,
        folder: String = "Akten",
        from office: Office
    ) throws -> FolderGrantRemoval {
        try office.store.removeGrants(
            on: try Office.path(folder),
            account: Self.info,
            subject: Self.anna,
            sides: sides,
            actor: "test"
        )
    }

    private func folders(_ office: Office, subject: String = anna) throws -> [String?] {
        try office.store.grants(account: Self.info, subject: subject).map(\.folder)
    }

    @Test func `only the grants on exactly this folder are removed`() throws {
        let office = try self.furnished()
        let removal = try self.remove(.both, from: office)
        #expect(removal == FolderGrantRemoval(count: 2, remaining: []))
        #expect(try self.folders(office) == ["Akten/Alt"])
        #expect(try self.folders(office, subject: Office.full("bob")) == ["Akten"])
        let record = try #require(try office.store.auditEntries().last?.record)
        let action = "grant remove \(Self.info) \(Self.anna) view send --folder Akten"
        #expect(record.detail == [action])
        #expect(record.account == Self.info)
    }

    @Test func `one side is removed, and the other stays`() throws {
        let office = try self.furnished()
        #expect(try self.remove(.send, from: office).count == 1)
        let grants = try office.store.grants(account: Self.info, subject: Self.anna)
        #expect(grants.map(\.send) == ["none", "none", "none"])
        #expect(try self.remove(.view, from: office).count == 2)
        #expect(try self.folders(office) == ["Akten/Alt"])
    }

    /// Another grant of the subject, and whether it still gives what was removed.
    static let others: [(Scope?, SendRight, Sides, Bool)] = [
        (.account, .none, .view, true), (.account, .none, .send, false),
        (.account, .as, .send, true), (nil, .none, .both, false),
    ]

    @Test(arguments: others)
    func `the other grants that include the folder are named`(
        scope: Scope?,
        send: SendRight,
        sides: Sides,
        isNamed: Bool
    ) throws {
        let office = try self.furnished()
        if let scope { try office.grant("info", "anna", send: send, scope: scope) }
        #expect(try self.remove(sides, from: office).remaining.isEmpty != isNamed)
    }

    @Test func `a subtree above the folder is named, and a folder beside it is not`() throws {
        let office = try self.furnished()
        let removal = try self.remove(.view, folder: "Akten/Alt", from: office)
        #expect(removal.remaining.map(\.folder) == ["Akten"])
        #expect(removal.remaining.map(\.subtree) == [true])
    }

    @Test func `without such a grant nothing changes`() throws {
        let office = try self.furnished()
        let revision = try office.store.revision()
        for (folder, sides) in [("Akte", Sides.both), ("Akten/Alt", .send), ("Akten/X", .both)] {
            let refusal = Office.refusal { try self.remove(sides, folder: folder, from: office) }
            #expect(refusal?.contains("no such grant on the folder \(folder)") == true)
        }
        let exchange = Office.refusal {
            try office.store.removeGrants(
                on: try Office.path("INBOX"),
                account: Office.full("sales"),
                subject: Self.anna,
                sides: .both,
                actor: "test"
            )
        }
        #expect(exchange?.contains("is an Exchange account") == true)
        #expect(try office.store.revision() == revision)
    }
}
