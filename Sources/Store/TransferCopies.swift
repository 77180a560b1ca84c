package import Access
import Foundation
import GRDB

/// Copies that an interrupted transfer may have left in a mailbox.
package struct CopiesLeft: Equatable, Sendable {
    /// The primary address.
    package var account: String
    package var folder: FolderPath
    /// At most so many messages.
    package var messages: Int
    package var created: Moment
}

/// What the journal has of each message that a transfer sent.
extension PermissionStore {
    /// An administrator who looks at `doctor` once a month sees each.
    private static let leftTime: Int64 = 30 * 86_400
    /// Whoever cuts one transfer after the other must not fill the store.
    private static let maximumLeft = 1_000

    /// An APPEND is about to be completed; what the one before came to is recorded with it.
    package func recordAppend(_ append: TransferAppend, of transfer: Int64) throws {
        try self.write { database in
            try Self.set(append.previous, transfer: transfer, database: database)
            let insert = try database.makeStatement(
                sql: """
                    INSERT INTO transferCopy (transfer, append, source, octets, date, digest)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """
            )
            for message in append.messages {
                try insert.execute(arguments: [
                    transfer, append.number, message.source, Int64(clamping: message.octets),
                    message.date, Data(message.digest.octets),
                ])
            }
        }
    }

    /// Copies were found at the target: their UIDs there, by those at the source.
    package func recordFound(_ found: [UInt32: UInt32], of transfer: Int64) throws {
        try self.write { database in
            for (source, uid) in found {
                try database.execute(
                    sql: """
                        UPDATE transferCopy SET stored = 1, uid = ?
                        WHERE transfer = ? AND source = ? AND stored = 0
                        """,
                    arguments: [uid, transfer, source]
                )
            }
        }
    }

    /// Records what became of an APPEND. One whose answer is missing stays open.
    static func set(_ outcome: AppendOutcome, transfer: Int64, database: Database) throws {
        let open = "transfer = ? AND append = ? AND stored = 0"
        switch outcome.answer {
        case .missing:
            return
        case .refused:
            try database.execute(
                sql: "DELETE FROM transferCopy WHERE \(open)",
                arguments: [transfer, outcome.number]
            )
        case .stored(let uids):
            let rows = try Int64.fetchAll(
                database,
                sql: "SELECT id FROM transferCopy WHERE \(open) ORDER BY id",
                arguments: [transfer, outcome.number]
            )
            let known = uids.flatMap { $0.count == rows.count ? $0 : nil }
            for (index, row) in rows.enumerated() {
                try database.execute(
                    sql: "UPDATE transferCopy SET stored = 1, uid = ? WHERE id = ?",
                    arguments: [known?[index], row]
                )
            }
        }
    }

    static func copies(of transfer: Int64, _ database: Database) throws -> [Transfer.Copy] {
        try Row.fetchAll(
            database,
            sql: "SELECT * FROM transferCopy WHERE transfer = ? ORDER BY id",
            arguments: [transfer]
        ).compactMap { row in
            let octets: Int64 = row["octets"]
            return MessageDigest(octets: Array(row["digest"] as Data)).map { digest in
                Transfer.Copy(
                    message: Transfer.Message(
                        source: row["source"],
                        octets: UInt64(clamping: octets),
                        date: row["date"],
                        digest: digest
                    ),
                    isStored: row["stored"],
                    uid: row["uid"]
                )
            }
        }
    }

    // MARK: - What stays

    /// Forgets a transfer, of which so many messages may stay at the target.
    package func leaveTransfer(_ id: Int64, messages: Int) throws {
        try self.write { database in
            let now = Moment.current.seconds
            try database.execute(
                sql: """
                    INSERT INTO copyLeft (account, folder, messages, created)
                    SELECT target, targetFolder, ?, ? FROM transfer WHERE id = ?
                    """,
                arguments: [messages, now, id]
            )
            try database.execute(sql: "DELETE FROM transfer WHERE id = ?", arguments: [id])
            try database.execute(
                sql: """
                    DELETE FROM copyLeft WHERE created < ?
                        OR id <= (SELECT max(id) FROM copyLeft) - ?
                    """,
                arguments: [now - Self.leftTime, Self.maximumLeft]
            )
        }
    }

    /// What was left in the last thirty days, the latest first.
    package func copiesLeft() throws -> [CopiesLeft] {
        try self.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT copyLeft.*, address.address FROM copyLeft
                    JOIN address ON address.account = copyLeft.account AND isPrimary = 1
                    WHERE created >= ? ORDER BY id DESC
                    """,
                arguments: [Moment.current.seconds - Self.leftTime]
            ).compactMap { row in
                let folder: Data = row["folder"]
                return FolderPath(octets: Array(folder)).map {
                    CopiesLeft(
                        account: row["address"],
                        folder: $0,
                        messages: row["messages"],
                        created: Moment(seconds: row["created"])
                    )
                }
            }
        }
    }
}
