import Access
import Foundation
import SASL
import Store
import Testing

/// Names with a meaning in SQL, in a shell or in other formats; and traces of removed objects.
@Suite struct HostileNamesTests {
    private typealias Temporary = PermissionStoreTests.Temporary

    /// The kinds of names.
    struct May: OptionSet, Sendable {
        let rawValue: Int

        static let beGroup = May(rawValue: 1)
        static let beUser = May(rawValue: 2)
    }

    /// T510, T514, T517, T518.
    static let names: [(String, May)] = [
        ("x'); DROP TABLE account;--", .beGroup),
        ("\"; ATTACH DATABASE '/tmp/x' AS y;--", .beGroup), ("%", .beGroup),
        ("_", [.beGroup, .beUser]), ("a\\%", .beGroup), ("*", .beGroup),
        ("-bob", [.beGroup, .beUser]), ("anyone", .beGroup),
        ("authenticated", [.beGroup, .beUser]), ("administrators", [.beGroup, .beUser]), ("", []),
        (" ", []), ("bob@kanzlei.example ", .beGroup), ("bob@kanzlei.example.", .beGroup),
        ("BOB@kanzlei.example", .beGroup), ("bob@kanzlei.exampl\u{E9}", .beGroup),
        ("bob\u{0}@kanzlei.example", []), ("bob\n@kanzlei.example", []),
        ("bob\u{202E}@kanzlei.example", []), ("bob\u{200B}@kanzlei.example", []),
        ("group:team", .beGroup), ("1", [.beGroup, .beUser]), ("NULL", [.beGroup, .beUser]),
        ("{\"a\":1}", .beGroup), ("%s%n", .beGroup),
        (String(repeating: "x", count: 1_024 * 1_024), []),
    ]

    @Test(arguments: names)
    func `a hostile name is stored and looked up literally`(name: String, may: May) throws {
        let temporary = try Temporary()
        let store = temporary.store
        try temporary.addUsers("anna", "bob")
        try store.addGroup("team", actor: "test")
        try temporary.addAccount("bob", owner: "bob", aliases: ["b@kanzlei.example"])
        try temporary.grant("bob", "anna@kanzlei.example")
        let before = try store.export()
        // Another spelling of Bob's login denotes Bob everywhere; every other text denotes
        // nobody.
        let isBob = name.lowercased() == "bob@kanzlei.example"

        func refused(_ body: () throws -> Void) {
            #expect(throws: StoreError.self, "\(name.prefix(60))") { try body() }
        }
        if !isBob {
            refused { _ = try store.user(name) }
            refused { _ = try store.account(name) }
            refused { _ = try store.grants(account: name, subject: nil) }
            if name != "group:team" {
                refused { _ = try store.grants(account: nil, subject: name) }
            }
            refused { try store.removeUser(name, actor: "test") }
            refused { try store.removeAccount(name, actor: "test") }
            refused { try temporary.grant("bob", name == "group:team" ? "team" : name) }
        }
        refused { _ = try store.group(name) }
        refused { try store.removeGroup(name, actor: "test") }
        refused {
            try store.join(
                [name == "group:team" ? "team" : isBob ? "x" : name],
                to: "team",
                actor: "test"
            )
        }
        #expect(try store.export() == before)

        // A group with that name denotes only the group.
        if !may.contains(.beGroup) {
            refused { try store.addGroup(name, actor: "test") }
        } else {
            try store.addGroup(name, actor: "test")
            #expect(try Set(store.groups().map(\.name)) == ["team", name])
            try temporary.grant("bob", "group:\(name)")
            try store.join(["anna@kanzlei.example"], to: name, actor: "test")
            #expect(try store.grants(account: nil, subject: "group:\(name)").count == 1)
            try store.removeGroup(name, actor: "test")
        }
        // An accepted login is stored exactly.
        if !may.contains(.beUser) {
            refused { try store.addUser(NewUser(name, name: name), actor: "test") }
        } else {
            try store.addUser(NewUser(name, name: name), actor: "test")
            #expect(try store.user(name).login == Address(name.utf8)?.description)
            try store.removeUser(name, actor: "test")
        }
        #expect(try store.export() == before)
    }

    /// T512: a number in the store is never reused.
    @Test func `a new user with a removed user's login inherits nothing`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna")
        try temporary.addAccount("info")
        for _ in 0..<3 {
            try temporary.addUsers("eve")
            try temporary.grant("info", "eve@kanzlei.example", .manage)
            try temporary.store.removeUser("eve@kanzlei.example", actor: "test")
        }
        try temporary.addUsers("eve")
        let snapshot = try temporary.store.load().access
        let eve = try #require(Address("eve@kanzlei.example".utf8).flatMap(snapshot.user))
        let info = try #require(Address("info@kanzlei.example".utf8).flatMap(snapshot.account))
        let verdict = snapshot.verdict(user: eve.id, account: info.id, folder: nil, at: .current)
        #expect(verdict.rights.isEmpty)
        #expect(try temporary.store.grants(account: nil, subject: nil).isEmpty)
    }

    /// T513.
    @Test func `a recreated group has no members and no grants`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna")
        try temporary.addAccount("info")
        try temporary.store.addGroup("team", actor: "test")
        try temporary.store.join(["anna@kanzlei.example"], to: "team", actor: "test")
        try temporary.grant("info", "group:team")
        try temporary.store.removeGroup("team", actor: "test")
        try temporary.store.addGroup("team", actor: "test")
        #expect(try temporary.store.group("team").members.isEmpty)
        #expect(try temporary.store.grants(account: nil, subject: nil).isEmpty)
    }

    /// T534: two seals of one text differ.
    @Test func `every sealed password has a unique nonce`() throws {
        let key = MasterKey()
        var nonces: Set<Data> = []
        for _ in 0..<20_000 { nonces.insert(try key.seal("secret", for: AccountID(1)).prefix(12)) }
        #expect(nonces.count == 20_000)
    }

    /// T536: for each way to remove a secret, in the store and in SQLite's log, while another
    /// process has the store open.
    @Test func `a removed secret is in no file of the store`() throws {
        let temporary = try Temporary()
        let store = temporary.store
        let running = try PermissionStore(path: temporary.path)
        try temporary.addUsers("anna", "bob", "dora")
        for name in ["bob", "carl", "emil"] { try temporary.addAccount(name) }
        for name in ["anna", "bob", "dora"] {
            try store.setPassword(name, of: "\(name)@kanzlei.example", actor: "test")
        }

        func expectGone(_ change: () throws -> Void) throws {
            let before = try self.secrets(store)
            _ = try running.load()
            try change()
            let kept = try self.secrets(store)
            let octets =
                try Data(contentsOf: URL(fileURLWithPath: temporary.path))
                + Data(contentsOf: URL(fileURLWithPath: temporary.path + "-wal"))
            let gone = before.subtracting(kept)
            #expect(!gone.isEmpty)
            for secret in gone { #expect(octets.range(of: secret) == nil) }
            for secret in kept { #expect(octets.range(of: secret) != nil) }
        }
        var settings = AccountSettings()
        settings.password = Secret("another")
        try expectGone {
            try store.setAccount(
                "bob@kanzlei.example",
                settings: settings,
                masterKey: temporary.masterKey,
                actor: "test"
            )
        }
        try expectGone { try store.removeAccount("carl@kanzlei.example", actor: "test") }
        try expectGone {
            try store.setPassword("another", of: "bob@kanzlei.example", actor: "test")
        }
        try expectGone { try store.removeUser("dora@kanzlei.example", actor: "test") }
        var document = try store.export()
        document.accounts?.removeAll { $0.address == "emil@kanzlei.example" }
        document.users?.removeAll { $0.login == "anna@kanzlei.example" }
        try expectGone { _ = try store.apply(document, dryRun: false, actor: "test") }
    }

    /// Sealed passwords of accounts, and hashes of users' own.
    private func secrets(_ store: PermissionStore) throws -> Set<Data> {
        let snapshot = try store.load()
        return Set(snapshot.endpoints.values.compactMap(\.sealedPassword)).union(
            snapshot.passwords.values.map { Data($0.hash.text.utf8) }
        )
    }
}
