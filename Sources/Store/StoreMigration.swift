import Cryptography
import Foundation

/// What a copy of a store has.
package struct StoreMigration: Equatable, Sendable {
    /// The number of rows by table.
    package var rows: [String: Int]
    /// The store's revision.
    package var revision: Int64
}

/// Copies of a store between engines.
extension PermissionStore {
    /// Copies everything into another store in one transaction, and compares the copy row by row
    /// before the commit.
    /// - Parameter target: A store that nothing was written to.
    /// - Throws: ``StoreError`` of kind `refused` for a target with contents, and of kind `unusable`
    ///   if the copy differs. Nothing is written then.
    package func copy(to target: PermissionStore) throws -> StoreMigration {
        try self.read { source in
            if self.isShared { try source.requireNoSentCopies() }
            return try target.write(locking: .model) { transaction in
                try transaction.requireEmpty()
                // A large table of the original is read while this transaction waits.
                try transaction.connection.allowPauses()
                var rows: [String: Int] = [:]
                for table in StoreTables.copied {
                    try transaction.copy(table, from: source)
                }
                try transaction.connection.continueKeys(after: source.connection.lastKeys())
                let revision = try source.revision()
                // The copy begins with this revision: its changed rows were changed elsewhere.
                try transaction.execute(sql: "DELETE FROM rowChange")
                try transaction.execute(
                    sql: "UPDATE rowChangeStart SET first = ?",
                    arguments: [revision]
                )
                for table in StoreTables.copied {
                    let (copied, original) = (
                        try transaction.digest(of: table), try source.digest(of: table)
                    )
                    guard copied == original else {
                        throw StoreError.unusable(
                            "the copy of \(table) differs from the original, and nothing was written"
                        )
                    }
                    rows[table] = copied.count
                }
                // The node of the copy completes transfers that were interrupted.
                try transaction.execute(
                    sql: "UPDATE transfer SET node = ?, instance = 0",
                    arguments: [transaction.connection.node]
                )
                return StoreMigration(rows: rows, revision: revision)
            }
        }
    }
}

extension StoreTransaction {
    /// The columns of a table that are not computed, in the order of the schema of this version.
    private static let columns: [String: [String]] = [
        "revisionToken": ["revision", "token"],
        "setting": ["name", "value"],
        "user": [
            "id", "login", "name", "password", "passwordVersion", "role", "disabled", "osUser",
        ],
        "group": ["id", "name"],
        "member": ["group", "user", "inner"],
        "account": Schema.accountColumns + ["permissionsVersion", "permissionsLoaded"],
        "address": ["address", "account", "isPrimary"],
        "grant": [
            "id", "account", "user", "group", "everyone", "rights", "send", "folder", "subtree",
            "source", "via", "until", "confirmed", "author", "created", "reason",
        ],
        "withdrawal": [
            "id", "account", "user", "group", "view", "send", "source", "author", "created",
        ],
        "wall": ["id", "account", "user", "group", "reason", "author", "created"],
        "subscription": ["user", "account", "folder", "isSubscribed"],
        "stage": ["account", "permissionsVersion", "document", "source", "author", "created"],
        "audit": ["node", "sequence", "moment", "record", "hash"],
        "auditSeal": ["node", "kind", "sequence", "hash", "moment", "mark"],
        "transfer": [
            "id", "state", "moves", "source", "sourceFolder", "sourceValidity", "uids", "target",
            "targetFolder", "targetValidity", "uidNext", "created", "recordsCopies", "contested",
            "node", "instance",
        ],
        "transferCopy": [
            "id", "transfer", "append", "source", "octets", "date", "digest", "stored", "uid",
        ],
        "copyLeft": ["id", "account", "folder", "messages", "created"],
        "notice": ["id", "account", "subject", "text", "created", "token"],
        "appPassword": ["id", "user", "name", "digest", "created", "expires"],
        "appPasswordUse": ["appPassword", "moment"],
        "directoryGroup": ["group", "filter", "tried", "read", "failure"],
        "directoryUnknown": ["group", "name"],
        "nameVersion": ["id", "value"],
        "revision": ["id", "value"],
    ]

    /// The columns as SQL. Names that SQL reserves are quoted; they have small letters only.
    private static func list(of table: String) -> String {
        (self.columns[table] ?? []).map { $0 == "group" ? "\"group\"" : $0 }.joined(separator: ", ")
    }

    /// The name of a table as SQL.
    private static func name(of table: String) -> String {
        ["group", "grant"].contains(table) ? "\"\(table)\"" : table
    }

    /// - Throws: ``StoreError`` of kind `refused` for a store with users, accounts or records.
    fileprivate func requireEmpty() throws {
        for table in ["user", "account", "audit"] {
            let count = try self.value(
                of: Int.self,
                sql: "SELECT count(*) FROM \(Self.name(of: table))"
            )
            guard count == 0 else {
                throw StoreError.refused(
                    "the target has contents (\(table)): name a file that does not exist, or a "
                        + "database without a store"
                )
            }
        }
    }

    /// Copies the rows of a table.
    fileprivate func copy(_ table: String, from source: StoreTransaction) throws {
        let (name, list) = (Self.name(of: table), Self.list(of: table))
        let marks = (Self.columns[table] ?? []).map { _ in "?" }.joined(separator: ", ")
        // A new store has a row in some tables.
        try self.execute(sql: "DELETE FROM \(name)")
        let rows = try source.cursor(sql: "SELECT \(list) FROM \(name)")
        while let row = try rows.next() {
            try self.execute(
                sql: "INSERT INTO \(name) (\(list)) VALUES (\(marks))",
                arguments: StoreArguments(cells: row.cells)
            )
        }
    }

    /// The number of rows of a table, and the sum of the digests of all rows, which does not depend
    /// on their order.
    fileprivate func digest(of table: String) throws -> TableDigest {
        var digest = TableDigest()
        let (name, list) = (Self.name(of: table), Self.list(of: table))
        let rows = try self.cursor(sql: "SELECT \(list) FROM \(name)")
        while let row = try rows.next() {
            var hasher = SHA256()
            for cell in row.cells {
                // The length in front keeps two columns from being taken for one.
                let text = cell.map(\.postgreSQLText)
                hasher.update("\(text?.utf8.count ?? -1) ".utf8)
                if let text { hasher.update(text.utf8) }
            }
            digest.add(Array(hasher.digest))
        }
        return digest
    }
}

/// The contents of a table.
private struct TableDigest: Equatable {
    /// The number of rows.
    var count = 0
    /// The sum of the digests, as four numbers without carry.
    private var sums: [UInt64] = [0, 0, 0, 0]

    /// Adds the digest of a row.
    mutating func add(_ octets: [UInt8]) {
        self.count += 1
        for (index, octet) in octets.enumerated() {
            self.sums[index / 8 % 4] &+= UInt64(octet) << (8 * UInt64(index % 8))
        }
    }
}
