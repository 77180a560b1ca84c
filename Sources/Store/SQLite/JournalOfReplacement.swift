import GRDB

/// The journal tells what was begun at mail servers, whatever the store says of permissions: when
/// another file takes the place of the one in force, the journal in force goes on in it. What another
/// file has in its place may have come to its end long ago.
extension PermissionStore {
    /// Replaces the journal of one database by that of another, in which nothing is written any more.
    /// Where an account is gone, nothing can be brought to its end.
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
