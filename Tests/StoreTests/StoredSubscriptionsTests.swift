import Access
import Foundation
import GRDB
import Testing

@testable import Store

/// Decisions of users about subscriptions.
@Suite struct StoredSubscriptionsTests {
    /// A store with Anna and the account of Bob.
    private struct Office {
        let temporary: PermissionStoreTests.Temporary
        let anna: UserID
        let bob: AccountID

        var store: PermissionStore { self.temporary.store }

        init() throws {
            self.temporary = try PermissionStoreTests.Temporary()
            try self.temporary.addUsers("anna", "bob")
            try self.temporary.addAccount("bob", owner: "bob")
            let access = try self.temporary.store.load().access
            self.anna = try #require(
                Address("anna@kanzlei.example".utf8).flatMap(access.user(login:))
            ).id
            self.bob = try #require(
                Address("bob@kanzlei.example".utf8).flatMap(access.account(address:))
            ).id
        }

        /// - Returns: Whether the decision was stored.
        func set(_ name: String, _ isSubscribed: Bool?) throws -> Bool {
            let kind: SubscriptionChange.Kind =
                switch isSubscribed {
                case true?: .subscribe
                case false?: .unsubscribe
                case nil: .forget
                }
            return try self.store.setSubscription(
                SubscriptionChange(
                    user: self.anna,
                    account: self.bob,
                    folder: try #require(FolderPath(octets: Array(name.utf8))),
                    kind: kind
                )
            ) == .changed
        }

        /// Each folder with a sign, in order.
        func all() throws -> [String] {
            try self.store.subscriptions(of: self.anna)
                .map { ($0.isSubscribed ? "+" : "-") + $0.folder.description }.sorted()
        }
    }

    @Test func `subscribed, unsubscribed and undecided are distinct`() throws {
        let office = try Office()
        #expect(try office.set("Akten", true))
        #expect(try office.set("Termine", false))
        #expect(try office.all() == ["+Akten", "-Termine"])
        #expect(try office.set("Akten", false))
        #expect(try office.set("Termine", true))
        #expect(try office.set("Termine", true))
        #expect(try office.all() == ["+Termine", "-Akten"])
        #expect(try office.set("Akten", nil))
        #expect(try office.set("Nirgends", nil))
        #expect(try office.all() == ["+Termine"])
    }

    @Test func `decisions are deleted with the account, not with a folder`() throws {
        let office = try Office()
        _ = try office.set("Akten", false)
        let before = try office.store.load().access.revision
        // Deleting and creating the folder does not concern the store.
        #expect(try office.all() == ["-Akten"])
        #expect(try office.store.load().access.revision == before)
        try office.store.removeAccount("bob@kanzlei.example", actor: "test")
        #expect(try office.all() == [])
    }

    @Test func `subscriptions and unsubscriptions have separate limits`() throws {
        let office = try Office()
        let rows: [(count: Int, isSubscribed: Bool)] = [
            (PermissionStore.maximumSubscriptions, true),
            (PermissionStore.maximumUnsubscriptions, false),
        ]
        try office.store.write(locking: .journal) { transaction in
            for (count, isSubscribed) in rows {
                for number in 0..<count {
                    try transaction.execute(
                        sql: "INSERT INTO subscription VALUES (?, ?, ?, ?)",
                        arguments: [
                            office.anna.rawValue, office.bob.rawValue,
                            Data("\(isSubscribed)\(number)".utf8), isSubscribed,
                        ]
                    )
                }
            }
        }
        #expect(try office.set("Akten", true) == false)
        #expect(try office.set("Akten", false) == false)
        // An existing decision needs no further room.
        #expect(try office.set("true7", true))
        #expect(try office.set("false7", false))
        // A decision cannot change while the other limit is reached; forgetting one makes room.
        #expect(try office.set("true7", false) == false)
        #expect(try office.set("false7", nil))
        #expect(try office.set("true7", false))
        #expect(try office.set("Akten", true))
        #expect(try office.set("Termine", true) == false)
    }

    @Test func `rows of an earlier version are subscribed folders`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        let path = temporary.folder.appendingPathComponent("earlier.sqlite").path
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(
            queue,
            upTo: "2026-11-29 copies that transfers made, notices"
        )
        try queue.write { database in
            try database.execute(
                sql: """
                    INSERT INTO user (id, login) VALUES (1, 'anna@kanzlei.example');
                    INSERT INTO account (id, kind, imapHost, imapPort, imapTLS, username)
                        VALUES (1, 'imap', 'a.example', 993, 'implicit', 'a');
                    INSERT INTO subscription (user, account, folder) VALUES (1, 1, x'416B74656E');
                    """
            )
        }
        try queue.close()
        let store = try PermissionStore(path: path)
        let rows = try store.subscriptions(of: UserID(1))
        #expect(rows.map(\.folder.description) == ["Akten"])
        #expect(rows.map(\.isSubscribed) == [true])
        let akten = try #require(rows.first?.folder)
        #expect(
            try store.setSubscription(
                SubscriptionChange(
                    user: UserID(1),
                    account: AccountID(1),
                    folder: akten,
                    kind: .unsubscribe
                )
            ) == .changed
        )
        #expect(try store.subscriptions(of: UserID(1)).map(\.isSubscribed) == [false])
    }
}
