import Access
import Foundation
import GRDB
import Testing

@testable import Store

/// The engine's functions: rows, values and changes in one transaction.
@Suite struct StoreTransactionTests {
    private static func inMemory<Value>(
        _ body: (StoreTransaction) throws -> Value
    ) throws -> Value {
        let queue = try DatabaseQueue()
        return try queue.write { database in
            let transaction = StoreTransaction(database)
            try transaction.execute(
                sql: """
                    CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, octets BLOB, flag INTEGER,
                        size INTEGER)
                    """
            )
            return try body(transaction)
        }
    }

    @Test func `each column type stores its values unchanged`() throws {
        try Self.inMemory { transaction in
            let octets = Data([0, 255, 7])
            try transaction.execute(
                sql: "INSERT INTO thing (name, octets, flag, size) VALUES (?, ?, ?, ?)",
                arguments: ["Cafe\u{301}", octets, true, UInt32.max]
            )
            #expect((try transaction.insertedKey()) == 1 && transaction.changedRows == 1)
            let row = try #require(try transaction.row(sql: "SELECT * FROM thing"))
            #expect(row["octets"] == octets && row["flag"] == true && row["size"] == UInt32.max)
            #expect((row["name"] as String).utf8.elementsEqual("Cafe\u{301}".utf8))
            #expect(row["id"] == Int64(1) && row["id"] == 1)
            #expect(row.hasColumn("name") && !row.hasColumn("nothing"))
        }
    }

    @Test func `NULL and a missing row are nil`() throws {
        try Self.inMemory { transaction in
            let name: String? = nil
            try transaction.execute(
                sql: "INSERT INTO thing (name, size) VALUES (?, ?)",
                arguments: [name, 5]
            )
            let row = try #require(try transaction.row(sql: "SELECT * FROM thing"))
            #expect((row["name"] as String?) == nil && (row["octets"] as Data?) == nil)
            #expect((row["size"] as Int64?) == 5)
            #expect(try transaction.value(of: String.self, sql: "SELECT name FROM thing") == nil)
            #expect(try transaction.value(of: Int.self, sql: "SELECT size FROM thing") == 5)
            let none = try transaction.row(sql: "SELECT * FROM thing WHERE id = ?", arguments: [9])
            #expect(none == nil)
        }
    }

    @Test func `rows keep their order, fetched at once or by cursor`() throws {
        try Self.inMemory { transaction in
            for name in ["c", "a", "b"] {
                try transaction.execute(
                    sql: "INSERT INTO thing (name) VALUES (?)",
                    arguments: [name]
                )
            }
            let sql = "SELECT name FROM thing ORDER BY name"
            #expect(try transaction.values(of: String.self, sql: sql) == ["a", "b", "c"])
            #expect(try transaction.rows(sql: sql).map { $0["name"] as String } == ["a", "b", "c"])
            let cursor = try transaction.cursor(
                sql: "SELECT name FROM thing WHERE name > ? ORDER BY name",
                arguments: ["a"]
            )
            var kept: [StoreRow] = []
            while let row = try cursor.next() { kept.append(row) }
            // A row keeps its values after the next one is read.
            #expect(kept.map { $0["name"] as String } == ["b", "c"])
            try transaction.execute(
                sql: "UPDATE thing SET size = 1 WHERE name <> ?",
                arguments: ["a"]
            )
            #expect(transaction.changedRows == 2)
        }
    }

    @Test func `joined arguments keep their order`() throws {
        try Self.inMemory { transaction in
            var arguments: StoreArguments = [1]
            arguments += ["x"]
            let row = try transaction.row(
                sql: "SELECT ? AS one, ? AS two, ? AS three",
                arguments: arguments + StoreArguments([Int64(7)])
            )
            #expect(row?["one"] == 1 && row?["two"] == "x" && row?["three"] == 7)
        }
    }

    @Test func `a failed transaction is rolled back, and a committed one is visible`() throws {
        struct Stop: Error {}
        let office = try Office()
        #expect(throws: Stop.self) {
            try office.store.write(locking: .model) { transaction in
                try transaction.execute(sql: "INSERT INTO \"group\" (name) VALUES ('g')")
                throw Stop()
            }
        }
        #expect(try office.store.groups().isEmpty)
        try office.store.write(locking: .model) {
            try $0.execute(sql: "INSERT INTO \"group\" (name) VALUES ('g')")
        }
        let other = try office.temporary.reopened()
        #expect(try other.groups().map(\.name) == ["g"])
    }

    @Test func `database errors become messages`() throws {
        let office = try Office()
        let twice = Office.refusal {
            try office.store.edit(PermissionStore.Edit(actor: "test", action: "twice")) {
                transaction in
                try transaction.execute(sql: "INSERT INTO user (login) VALUES ('x'), ('x')")
            }
        }
        #expect(twice?.contains("this violates a constraint of the store") == true)
        let broken = Office.refusal { try office.store.read { try $0.rows(sql: "SELECT nothing") } }
        #expect(broken?.contains("the store failed") == true)
        // A failed edit leaves neither a change nor a record.
        #expect(try office.store.auditEntries().allSatisfy { $0.record.detail != ["twice"] })
    }
}
