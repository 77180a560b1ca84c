import Access
import Foundation
import GRDB
import SASL
import Support
import Testing

@testable import Store

@Suite struct PermissionStoreTests {
    /// A store in a temporary directory, which is removed after the test.
    final class Temporary {
        let folder: URL
        let store: PermissionStore
        let masterKey = MasterKey()

        init() throws {
            self.folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("store-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: self.folder,
                withIntermediateDirectories: true
            )
            guard PostgreSQLCluster.isChosen else {
                let path = self.folder.appendingPathComponent("gatepost.sqlite").path
                self.store = try PermissionStore(path: path)
                return
            }
            let server = PostgreSQLServer(
                url: try PostgreSQLCluster.shared.get().database(),
                node: "one",
                state: self.folder.path
            )
            self.store = try PermissionStore(.postgreSQL(server))
        }

        deinit {
            try? FileManager.default.removeItem(at: self.folder)
        }

        /// Changes the database without the store.
        func tamper(_ sql: String, _ arguments: StoreArguments = []) throws {
            guard let engine = self.store.engine as? PostgreSQLEngine else {
                let queue = try DatabaseQueue(path: self.path)
                return try queue.write {
                    try StoreTransaction($0).execute(sql: sql, arguments: arguments)
                }
            }
            try engine.pool.transaction("BEGIN") {
                try StoreTransaction($0).execute(sql: sql, arguments: arguments)
            }
        }

        /// The same store, opened by another process.
        func reopened() throws -> PermissionStore {
            try PermissionStore(self.store.location, creates: false)
        }

        var path: String { self.folder.appendingPathComponent("gatepost.sqlite").path }

        func addUsers(_ names: String...) throws {
            for name in names {
                try self.store.addUser(NewUser("\(name)@kanzlei.example"), actor: "test")
            }
        }

        func addAccount(
            _ name: String,
            owner: String? = nil,
            kind: Account.Kind = .imap,
            aliases: [String]? = nil
        ) throws {
            var settings = AccountSettings()
            settings.kind = kind
            settings.owner = owner.map { "\($0)@kanzlei.example" }
            settings.aliases = aliases
            settings.imap = Endpoint(host: "mail.kanzlei.example", port: 993, tls: .implicit)
            settings.password = Secret("up p\"\\w")
            try self.store.addAccount(
                "\(name)@kanzlei.example",
                settings: settings,
                masterKey: self.masterKey,
                actor: "test"
            )
        }

        func grant(_ account: String, _ subject: String, _ rights: Rights = .view) throws {
            try self.store.addGrant(
                GrantRequest(
                    account: "\(account)@kanzlei.example",
                    subject: subject,
                    rights: rights,
                    send: .none
                ),
                actor: "test"
            )
        }
    }

    private func refusal(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "(not refused)"
        } catch {
            return "\(error)"
        }
    }

    @Test func `edits appear in the loaded snapshot`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna", "bob")
        try temporary.addAccount("bob", owner: "bob", aliases: ["b@kanzlei.example"])
        try temporary.store.addGroup("Sekretariat", actor: "test")
        try temporary.store.join(["anna@kanzlei.example"], to: "Sekretariat", actor: "test")
        try temporary.grant("bob", "group:Sekretariat")
        let published = try temporary.store.load()
        let anna = try #require(published.access.user(login: Address("ANNA@kanzlei.example".utf8)!))
        let bob = try #require(
            published.access.account(address: Address("b@kanzlei.example".utf8)!)
        )
        let access = published.access.access(of: anna.id, to: bob.id, at: .current)
        #expect(access.coversAccount == .view)
        let upstream = try #require(published.endpoints[bob.id])
        let credential = try temporary.masterKey.credential(of: upstream)
        guard case .password(let password) = credential.proof else {
            Issue.record("no password")
            return
        }
        #expect(password.value == Array("up p\"\\w".utf8))
        #expect(credential.username == Array("bob@kanzlei.example".utf8))
    }

    @Test(.timeLimit(.minutes(20)))
    func `a follower publishes each change at its next look`() async throws {
        let temporary = try Temporary()
        let other = try temporary.reopened()
        var changes = other.changes(
            every: .milliseconds(100),
            silence: .seconds(3_600),
            masterKey: temporary.masterKey
        ).makeAsyncIterator()
        let first = await changes.next()?.published
        #expect(first?.access.users.isEmpty == true)
        for (number, name) in ["anna", "bob", "clara", "dora", "eva"].enumerated() {
            try temporary.addUsers(name)
            // The next snapshot has the change; no older one is published in between.
            let users = await changes.next()?.published?.access.users
            #expect(users?.count == number + 1)
            #expect(users?.values.contains { "\($0.login)".hasPrefix(name) } == true)
        }
    }

    @Test func `an unreadable store is reported, and so is its return`() async throws {
        let temporary = try Temporary()
        let other = try temporary.reopened()
        var changes = other.changes(
            every: .milliseconds(20),
            silence: .seconds(3_600),
            masterKey: temporary.masterKey
        ).makeAsyncIterator()
        #expect(await changes.next()?.published != nil)
        try temporary.addUsers("anna")
        #expect(await changes.next()?.published?.access.users.count == 1)
        // The next revision has a change of a table that is not there.
        try temporary.tamper("INSERT INTO rowChange SELECT value + 1, 'wall', 0, 1 FROM revision")
        try temporary.tamper("ALTER TABLE wall RENAME TO nowall")
        try temporary.addUsers("bob")
        guard case .unreadable = await changes.next() else {
            Issue.record("it was read")
            return
        }
        try temporary.tamper("ALTER TABLE nowall RENAME TO wall")
        #expect(await changes.next()?.published?.access.users.count == 2)
    }

    @Test func `logins, addresses and aliases are unique`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna")
        #expect(self.refusal { try temporary.addUsers("ANNA") }.contains("exists"))
        try temporary.addAccount("bob", aliases: ["b@kanzlei.example"])
        #expect(self.refusal { try temporary.addAccount("B") }.contains("belongs to account bob"))
        let text = self.refusal {
            try temporary.addAccount("carl", aliases: ["BOB@kanzlei.example"])
        }
        #expect(text.contains("belongs to account bob"))
        // The failed transaction left nothing.
        #expect(try temporary.store.accounts().count == 1)
    }

    @Test func `a group cannot contain itself`() throws {
        let temporary = try Temporary()
        for name in ["a", "b", "c"] { try temporary.store.addGroup(name, actor: "test") }
        try temporary.store.join(["group:b"], to: "a", actor: "test")
        try temporary.store.join(["group:c"], to: "b", actor: "test")
        for (member, group) in [("group:a", "c"), ("group:a", "a"), ("group:b", "c")] {
            let text = self.refusal {
                try temporary.store.join([member], to: group, actor: "test")
            }
            #expect(text.contains("inside itself"), "\(member) in \(group)")
        }
    }

    @Test func `an error for a missing object names the command that adds it`() throws {
        let temporary = try Temporary()
        #expect(self.refusal { _ = try temporary.store.user("x") }.contains("gatepost user add x"))
        #expect(self.refusal { _ = try temporary.store.group("x") }.contains("gatepost group add"))
        #expect(self.refusal { _ = try temporary.store.account("x") }.contains("account add"))
        try temporary.addAccount("bob")
        #expect(self.refusal { try temporary.grant("bob", "anna") }.contains("no user anna"))
        #expect(self.refusal { try temporary.grant("bob", "group:x") }.contains("no group x"))
    }

    @Test func `a refused grant on an Exchange account names the remedy`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna")
        try temporary.addAccount("ex", kind: .exchange)
        let text = self.refusal { try temporary.grant("ex", "anna@kanzlei.example") }
        #expect(text.contains("Share the mailbox"))
    }

    @Test func `a second grant for the same scope replaces the first`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna")
        try temporary.addAccount("bob")
        try temporary.grant("bob", "anna@kanzlei.example", .edit)
        try temporary.grant("bob", "anna@kanzlei.example", .view)
        #expect(try temporary.store.grants(account: nil, subject: nil).map(\.rights) == ["lr"])
    }

    @Test func `removing both sides one after the other deletes a grant`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna")
        try temporary.addAccount("bob")
        try temporary.store.addGrant(
            GrantRequest(
                account: "bob@kanzlei.example",
                subject: "anna@kanzlei.example",
                rights: .view,
                send: .as
            ),
            actor: "test"
        )
        func remove(view: Bool, send: Bool) throws -> Int {
            try temporary.store.removeGrants(
                account: "bob@kanzlei.example",
                subject: "anna@kanzlei.example",
                view: view,
                send: send,
                actor: "test"
            )
        }
        #expect(try remove(view: true, send: false) == 1)
        let left = try temporary.store.grants(account: nil, subject: nil)
        #expect(left.map(\.rights) == [""])
        #expect(left.map(\.send) == ["as"])
        #expect(try remove(view: true, send: true) == 1)
        #expect(try temporary.store.grants(account: nil, subject: nil).isEmpty)
        #expect(throws: StoreError.self) { try remove(view: true, send: true) }
    }

    static let servers: [(String, Endpoint.Security, Bool)] = [
        ("mail.example", .implicit, true), ("mail.example", .starttls, true),
        ("mail.example", .none, false), ("127.0.0.1", .none, true), ("localhost", .none, true),
        ("::1", .none, true), ("127.0.0.1.evil.example", .none, false), ("127.1", .none, false),
        ("", .implicit, false), ("a b", .implicit, false),
    ]

    @Test(arguments: servers)
    func `a server without TLS must be on this machine`(
        host: String,
        tls: Endpoint.Security,
        isAllowed: Bool
    ) throws {
        let temporary = try Temporary()
        var settings = AccountSettings()
        settings.kind = .imap
        settings.imap = Endpoint(host: host, port: 993, tls: tls)
        let text = self.refusal {
            try temporary.store.addAccount(
                "x@kanzlei.example",
                settings: settings,
                masterKey: temporary.masterKey,
                actor: "test"
            )
        }
        #expect((text == "(not refused)") == isAllowed, "\(text)")
    }

    @Test(arguments: ["a\r\nb", "a\u{0}b", "a\u{1}", ""])
    func `a credential with control characters is refused`(password: String) throws {
        let temporary = try Temporary()
        try temporary.addAccount("bob")
        var settings = AccountSettings()
        settings.password = Secret(password)
        let text = self.refusal {
            try temporary.store.setAccount(
                "bob@kanzlei.example",
                settings: settings,
                masterKey: temporary.masterKey,
                actor: "test"
            )
        }
        #expect(text.contains("control characters"))
    }

    /// T129: a stored credential that was written without the store.
    @Test(arguments: ["a\r\nb", "a\u{0}b\u{0}c", "a\u{1}", "a\u{7F}", ""])
    func `a stored credential with control characters is not used`(text: String) throws {
        let temporary = try Temporary()
        try temporary.addAccount("bob")
        var named = try temporary.store.upstream("bob@kanzlei.example")
        named.username = text
        #expect(
            self.refusal { _ = try temporary.masterKey.credential(of: named) }
                .contains("control characters")
        )
        var sealed = try temporary.store.upstream("bob@kanzlei.example")
        sealed.sealedPassword = try temporary.masterKey.seal(text, for: sealed.id)
        #expect(
            self.refusal { _ = try temporary.masterKey.credential(of: sealed) }
                .contains("control characters")
        )
    }

    @Test func `a credential opens only with its key and for its account`() throws {
        let temporary = try Temporary()
        try temporary.addAccount("bob")
        try temporary.addAccount("carl")
        let bob = try temporary.store.upstream("bob@kanzlei.example")
        var stolen = try temporary.store.upstream("carl@kanzlei.example")
        stolen.sealedPassword = bob.sealedPassword
        #expect(throws: StoreError.self) { try temporary.masterKey.credential(of: stolen) }
        #expect(throws: StoreError.self) { try MasterKey().credential(of: bob) }
        let sealed = try #require(bob.sealedPassword)
        #expect(!String(decoding: sealed, as: UTF8.self).contains("up p"))
    }

    @Test func `the key file is private to its owner`() throws {
        let temporary = try Temporary()
        let file = temporary.folder.appendingPathComponent("key").path
        try MasterKey().write(to: file)
        _ = try MasterKey(file: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
        #expect(self.refusal { _ = try MasterKey(file: file) }.contains("chmod 600"))
    }

    @Test func `the store's file is private to its owner`() throws {
        let temporary = try Temporary()
        let attributes = try FileManager.default.attributesOfItem(atPath: temporary.path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    }

    @Test func `a file that is not a store is refused`() throws {
        let temporary = try Temporary()
        let file = temporary.folder.appendingPathComponent("other").path
        try Data(String(repeating: "no store ", count: 1_000).utf8)
            .write(to: URL(fileURLWithPath: file))
        #expect(self.refusal { _ = try PermissionStore(path: file) }.contains("restore it"))
    }

    @Test func `an export applies to an empty store and changes nothing in its own`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna", "bob")
        try temporary.addAccount("bob", owner: "bob", aliases: ["b@kanzlei.example"])
        try temporary.store.addGroup("g", actor: "test")
        try temporary.store.join(["anna@kanzlei.example"], to: "g", actor: "test")
        try temporary.grant("bob", "group:g")
        let document = try temporary.store.export()
        let same = try temporary.store.apply(document, dryRun: false, actor: "test")
        #expect(same.isEmpty, "\(same)")
        let fresh = try Temporary()
        let planned = try fresh.store.apply(document, dryRun: true, actor: "test")
        #expect(planned.added.count == 5)
        #expect(try fresh.store.users().isEmpty)
        _ = try fresh.store.apply(document, dryRun: false, actor: "test")
        #expect(try fresh.store.export() == document)
        // The remaining account still has its credential.
        let upstream = try temporary.store.upstream("bob@kanzlei.example")
        #expect(upstream.sealedPassword != nil)
    }

    @Test func `a document without a certificate authority removes it`() throws {
        let temporary = try Temporary()
        try temporary.addAccount("bob")
        let document = try temporary.store.export()
        var other = document
        other.accounts?[0].caFile = "/etc/gatepost/other.pem"
        _ = try temporary.store.apply(other, dryRun: false, actor: "test")
        #expect(try temporary.store.export() == other)
        let changes = try temporary.store.apply(document, dryRun: false, actor: "test")
        #expect(!changes.isEmpty)
        #expect(try temporary.store.export() == document)
    }

    @Test func `a document that violates a rule changes nothing`() throws {
        let temporary = try Temporary()
        try temporary.addUsers("anna")
        var document = ModelDocument()
        document.users = [
            UserRow(login: "bob@kanzlei.example", name: nil, role: nil, disabled: false)
        ]
        document.groups = [
            GroupRow(name: "a", members: ["group:b"]), GroupRow(name: "b", members: ["group:a"]),
        ]
        #expect(throws: StoreError.self) {
            try temporary.store.apply(document, dryRun: false, actor: "test")
        }
        #expect(try temporary.store.users().map(\.login) == ["anna@kanzlei.example"])
    }

    @Test func `a password is hashed and verified`() throws {
        let hash = try PasswordHash(password: Array("s3cret".utf8))
        #expect(!hash.text.contains("s3cret"))
        #expect(hash.verify(Array("s3cret".utf8)))
        #expect(!hash.verify(Array("s3creT".utf8)))
        #expect(!PasswordHash.dummy.verify(Array("".utf8)))
        #expect(!PasswordHash(text: "scrypt$99$8$1$AA==$AA==").verify(Array("x".utf8)))
        #expect(try PasswordHash(password: Array("s3cret".utf8)) != hash)
    }

    @Test func `root, the store's owner and users with a role may make changes`() throws {
        let temporary = try Temporary()
        let owner = getuid() == 0 ? 4_711 : getuid()
        if getuid() == 0 {
            try FileManager.default.setAttributes(
                [.ownerAccountID: 4_711],
                ofItemAtPath: temporary.path
            )
        }
        try temporary.addUsers("kim", "eve")
        let kim = "kim@kanzlei.example"
        func says(_ role: Role, _ actor: Actor) -> String {
            self.refusal { try temporary.store.requireRole(role, actor: actor) }
        }
        let stranger = Actor(name: "kim", userID: 54_321)
        let throughSudo = Actor(name: "gatepost", userID: owner, original: "kim")
        for role in Role.allCases {
            #expect(says(role, Actor(name: "root", userID: 0)) == "(not refused)")
            #expect(says(role, Actor(name: "root", userID: 0, original: "kim")) == "(not refused)")
            #expect(says(role, Actor(name: "gatepost", userID: owner)) == "(not refused)")
            for actor in [stranger, throughSudo] {
                #expect(says(role, actor).contains("needs the role administrator"))
            }
        }
        try temporary.store.setRole(.settings, osUser: "kim", of: kim, actor: "test")
        for actor in [stranger, throughSudo] {
            #expect(says(.settings, actor) == "(not refused)")
            #expect(says(.administrator, actor).contains("has the role settings"))
        }
        #expect(throughSudo.recorded == "kim as gatepost")
        try temporary.store.setRole(.administrator, osUser: nil, of: kim, actor: "test")
        #expect(says(.administrator, stranger) == "(not refused)")
        try temporary.store.setDisabled(true, login: kim, actor: "test")
        #expect(says(.settings, stranger).contains("needs the role"))
        try temporary.store.setDisabled(false, login: kim, actor: "test")
        try temporary.store.setRole(nil, osUser: nil, of: kim, actor: "test")
        #expect(says(.settings, stranger).contains("needs the role"))
        // A name belongs to one user, and a user without another name has the login.
        #expect(
            self.refusal {
                try temporary.store.setRole(
                    .settings,
                    osUser: "kim",
                    of: "eve@kanzlei.example",
                    actor: "test"
                )
            }.contains("is kim@kanzlei.example already")
        )
        try temporary.store.setRole(
            .settings,
            osUser: nil,
            of: "eve@kanzlei.example",
            actor: "test"
        )
        #expect(
            says(.settings, Actor(name: "eve@kanzlei.example", userID: 1)) == "(not refused)"
        )
    }
}

extension StoreChange {
    var published: StoreSnapshot? {
        guard case .published(let published) = self else { return nil }
        return published
    }
}
