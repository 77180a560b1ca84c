import GRDB

/// The journal when another file takes the place of the store.
///
/// The journal records what was begun at mail servers, whatever the store says about
/// permissions. So the journal in force is carried into the new file. The journal in the new
/// file is discarded: its transfers may have been completed long ago.
extension SQLiteEngine {
    /// Replaces the journal of one database by that of another one. Entries of accounts that
    /// the new database lacks are dropped: such a transfer can no longer be completed.
    /// - Parameter old: The replaced database, in which nothing is written any more.
    /// - Throws: GRDB's `DatabaseError`; then the new database keeps its own journal.
    static func carryJournal(from old: DatabasePool, to new: DatabasePool) throws {
        let (transfers, copies, left) = try old.read { database in
            (
                try Row.fetchAll(database, sql: "SELECT * FROM transfer"),
                try Row.fetchAll(database, sql: "SELECT * FROM transferCopy ORDER BY id"),
                try Row.fetchAll(database, sql: "SELECT * FROM copyLeft ORDER BY id")
            )
        }
        try new.write { database in
            for table in ["transferCopy", "transfer", "copyLeft"] {
                try database.execute(sql: "DELETE FROM \(table)")
            }
            let accounts = try Set(Int64.fetchAll(database, sql: "SELECT id FROM account"))
            let kept = transfers.filter { row in
                accounts.contains(row["source"]) && accounts.contains(row["target"])
            }
            let entries = Set(kept.map { $0["id"] as Int64 })
            try self.insert(kept, into: "transfer", database: database)
            try self.insert(
                copies.filter { entries.contains($0["transfer"]) },
                into: "transferCopy",
                database: database
            )
            try self.insert(
                left.filter { accounts.contains($0["account"]) },
                into: "copyLeft",
                database: database
            )
        }
    }

    /// Inserts rows with all of their columns.
    private static func insert(_ rows: [Row], into table: String, database: Database) throws {
        for row in rows {
            let names = row.columnNames.joined(separator: ", ")
            let marks = row.columnNames.map { _ in "?" }.joined(separator: ", ")
            try database.execute(
                sql: "INSERT INTO \(table) (\(names)) VALUES (\(marks))",
                arguments: StatementArguments(row.databaseValues)
            )
        }
    }
}
