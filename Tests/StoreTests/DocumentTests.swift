import Access
import Foundation
import Store
import Testing

/// Names in documents: comparison by octets, and refusal of duplicates.
@Suite struct DocumentTests {
    private typealias Temporary = PermissionStoreTests.Temporary

    private static let composed = "Caf\u{E9}"
    private static let decomposed = "Cafe\u{301}"
    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"

    /// A store in which Anna may see a folder of Bob's account.
    private func furnished(folder: String, reason: String? = nil) throws -> Temporary {
        let temporary = try Temporary()
        try temporary.addUsers("anna", "bob")
        try temporary.addAccount("bob", owner: "bob")
        try temporary.store.addGrant(
            GrantRequest(
                account: Self.bob,
                subject: Self.anna,
                rights: .view,
                send: .none,
                scope: .folder(try PermissionStore.folder(folder)),
                reason: reason
            ),
            actor: "test"
        )
        return temporary
    }

    private func applied(
        _ store: PermissionStore,
        _ change: (inout ModelDocument) -> Void
    ) throws -> ModelChanges {
        var document = try store.export()
        change(&document)
        return try store.apply(document, dryRun: false, actor: "test")
    }

    private func octets(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    private func refusal(
        _ store: PermissionStore,
        _ change: (inout ModelDocument) -> Void
    ) -> String {
        do {
            return "(not refused) \(try self.applied(store, change))"
        } catch {
            return "\(error)"
        }
    }

    @Test func `a folder in another Unicode form is a different folder everywhere`()
        throws
    {
        let temporary = try self.furnished(folder: Self.composed)
        let store = temporary.store
        let changes = try self.applied(store) { document in
            document.grants?[0].scope = .folder(Self.decomposed, isSubtree: false)
        }
        let (added, removed) = (
            try #require(changes.added.first), try #require(changes.removed.first)
        )
        #expect(changes.added.count == 1 && changes.removed.count == 1)
        #expect(added.utf8.contains(0xCC) && !removed.utf8.contains(0xCC))
        let folders = try store.grants(account: nil, subject: nil).compactMap(\.folder)
        #expect(self.octets(folders) == self.octets([Self.decomposed]))
        let records = try store.auditEntries().compactMap(\.record.detail)
        #expect(self.octets(records.last ?? []).contains(Array("+ \(added)".utf8)))
    }

    @Test func `grants on a folder in two Unicode forms are two grants`() throws {
        let temporary = try self.furnished(folder: Self.composed)
        let changes = try self.applied(temporary.store) { document in
            guard var grant = document.grants?.first else { return }
            grant.scope = .folder(Self.decomposed, isSubtree: false)
            document.grants?.append(grant)
        }
        #expect(changes.added.count == 1 && changes.removed.isEmpty)
        let folders = try temporary.store.grants(account: nil, subject: nil).compactMap(\.folder)
        #expect(Set(self.octets(folders)) == Set(self.octets([Self.composed, Self.decomposed])))
    }

    @Test func `a reason in another Unicode form counts as a change`() throws {
        let temporary = try self.furnished(folder: "Akten", reason: Self.composed)
        let changes = try self.applied(temporary.store) { $0.grants?[0].reason = Self.decomposed }
        #expect(changes.added.count == 1 && changes.removed.count == 1)
        let reasons = try temporary.store.grants(account: nil, subject: nil).compactMap(\.reason)
        #expect(self.octets(reasons) == self.octets([Self.decomposed]))
        // The same holds for the reason of a wall.
        try temporary.store.addWall(
            account: Self.bob,
            subject: Self.anna,
            reason: Self.composed,
            actor: "test"
        )
        let walls = try self.applied(temporary.store) { $0.walls?[0].reason = Self.decomposed }
        #expect(walls.added.count == 1 && walls.removed.count == 1)
    }

    @Test func `a group in another Unicode form is a different group`() throws {
        let temporary = try Temporary()
        let store = temporary.store
        try temporary.addUsers("anna")
        try store.addGroup(Self.composed, actor: "test")
        try store.join([Self.anna], to: Self.composed, actor: "test")
        let changes = try self.applied(store) { document in
            document.groups = [GroupRow(name: Self.decomposed, members: [])]
        }
        #expect(changes.added.count == 1 && changes.removed.count == 1)
        #expect(self.octets(try store.groups().map(\.name)) == self.octets([Self.decomposed]))
        #expect(throws: StoreError.self) { try store.group(Self.composed) }
    }

    @Test func `withdrawals from groups in two Unicode forms are two withdrawals`() throws {
        let temporary = try Temporary()
        let store = temporary.store
        try temporary.addAccount("sales", kind: .exchange)
        for (name, isView) in [(Self.composed, true), (Self.decomposed, false)] {
            try store.addGroup(name, actor: "test")
            try store.withdraw(
                account: "sales@kanzlei.example",
                subject: "group:\(name)",
                view: isView,
                send: !isView,
                actor: "test"
            )
        }
        let withdrawals = try #require(try store.export().withdrawals)
        #expect(withdrawals.count == 2)
        #expect(withdrawals.allSatisfy { $0.view != $0.send })
        #expect(try self.applied(store) { _ in }.isEmpty)
    }

    @Test func `two grants for one subject, account and scope are refused with their positions`()
        throws
    {
        let temporary = try self.furnished(folder: "Akten")
        let store = temporary.store
        let before = try store.export()
        func twice(_ change: (inout ModelDocument.Grant) -> Void) -> String {
            self.refusal(store) { document in
                guard var grant = document.grants?.first else { return }
                var other = grant
                other.scope = .account
                change(&grant)
                document.grants?.append(other)
                document.grants?.append(grant)
            }
        }
        for text in [
            twice { $0.rights = "lrswite" }, twice { $0.until = 1_893_542_400 },
            twice { $0.subject = "ANNA@kanzlei.example" }, twice { $0.send = "as" }, twice { _ in },
        ] {
            #expect(text.contains("grants[0] and grants[2]"), "\(text)")
            #expect(text.lowercased().contains("\(Self.anna) on \(Self.bob)"), "\(text)")
        }
        #expect(try store.export() == before)
    }

    @Test func `a duplicate entry in any part of a document is refused`() throws {
        let temporary = try self.furnished(folder: "Akten")
        let store = temporary.store
        try store.addGroup("Sekretariat", actor: "test")
        try store.addWall(account: Self.bob, subject: Self.anna, reason: "Mandat", actor: "test")
        func doubled<Entry>(_ entries: [Entry]?) -> [Entry]? { entries.map { $0 + $0 } }
        let parts: [(String, (inout ModelDocument) -> Void)] = [
            ("groups[0] and groups[1]", { $0.groups = doubled($0.groups) }),
            ("accounts[0] and accounts[1]", { $0.accounts = doubled($0.accounts) }),
            ("walls[0] and walls[1]", { $0.walls = doubled($0.walls) }),
            ("twice", { $0.users = doubled($0.users) }),
        ]
        for (says, change) in parts {
            let text = self.refusal(store, change)
            #expect(text.contains(says), "\(text)")
        }
    }

    /// One grant gives the view side and one the send side, and a pending grant coexists with
    /// one in effect.
    @Test func `an exported document can be applied`() throws {
        let temporary = try self.furnished(folder: "Akten")
        let store = temporary.store
        func grant(_ rights: Rights, _ send: SendRight, _ consent: Consent) throws {
            try store.addGrant(
                GrantRequest(account: Self.bob, subject: Self.anna, rights: rights, send: send),
                consent: consent,
                actor: "test"
            )
        }
        try grant(.view, .none, .off)
        try grant([], .onBehalf, .off)
        try grant(.manage, .as, .required)
        #expect(try store.grants(account: nil, subject: nil).count == 4)
        #expect(try self.applied(store) { _ in }.isEmpty)
        var document = try store.export()
        document.grants?.reverse()
        #expect(try store.apply(document, dryRun: false, actor: "test").isEmpty)
        var empty = document
        empty.grants = []
        _ = try store.apply(empty, dryRun: false, actor: "test")
        #expect(try store.apply(document, dryRun: false, actor: "test").added.count == 4)
        #expect(try store.grants(account: nil, subject: nil).count == 4)
    }

    /// The only grant of a document.
    /// - Parameter keys: JSON text behind the account and the subject.
    private static func grant(_ keys: String) throws -> ModelDocument.Grant {
        let text = #"{"grants":[{"account":"\#(Self.bob)","subject":"\#(Self.anna)"\#(keys)}]}"#
        return try #require(try ModelDocument(json: Data(text.utf8)).grants?.first)
    }

    @Test func `a role without an operating-system name stays without one`() throws {
        let office = try Office()
        let anna = Office.full("anna")
        try office.store.setRole(.administrator, osUser: "none", of: anna, actor: "test")
        var document = try office.store.export()
        let place = try #require(document.users?.firstIndex { $0.login == anna })
        document.users?[place].name = "Anna B."
        for osUser in [nil, "max", nil] as [String?] {
            document.users?[place].osUser = osUser
            _ = try office.store.apply(document, dryRun: false, actor: "test")
            #expect(try office.store.export() == document)
        }
        document.users?[place].osUser = "none"
        #expect(
            Office.refusal { try office.store.apply(document, dryRun: false, actor: "test") }?
                .contains("write null for none") == true
        )
    }

    @Test(arguments: ["Exchange", "x", ""])
    func `a grant with an unknown source is refused`(source: String) throws {
        let office = try Office()
        try office.grant("info", "anna", .view)
        var document = try office.store.export()
        document.grants?[0].source = source
        #expect(
            Office.refusal { try office.store.apply(document, dryRun: false, actor: "test") }?
                .contains("must be local or exchange") == true
        )
    }

    @Test func `a grant without a scope is refused`() throws {
        #expect(throws: JSONError.self) { try Self.grant(#","rights":"lr""#) }
    }

    @Test(arguments: [#","scope":"account""#, #","scope":null"#])
    func `an explicit scope of the whole account is accepted`(scope: String) throws {
        let grant = try Self.grant(#","rights":"lr"\#(scope)"#)
        #expect(grant.scope == .account)
        let written = String(decoding: try JSONEncoder().encode(grant), as: UTF8.self)
        #expect(written.contains(#""scope":"account""#), "\(written)")
    }

    @Test(arguments: [#""Account""#, #""""#, "1", "[]", "{}", #"{"subtree":true}"#])
    func `a grant with an invalid scope is refused`(scope: String) throws {
        #expect(throws: JSONError.self) { try Self.grant(#","scope":\#(scope)"#) }
    }

    @Test func `applying a document can remove an owner`() throws {
        let temporary = try self.furnished(folder: "Akten")
        var settings = AccountSettings()
        settings.owner = "none"
        try temporary.store.setAccount(
            Self.bob,
            settings: settings,
            masterKey: temporary.masterKey,
            actor: "test"
        )
        #expect(try temporary.store.account(Self.bob).owner == nil)
    }
}
