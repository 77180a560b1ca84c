package import Access
import Foundation

/// Copies that an interrupted transfer may have left in a mailbox, for `gatepost doctor`.
package struct CopiesLeft: Equatable, Sendable {
    /// The primary address.
    package var account: String
    /// The target folder.
    package var folder: FolderPath
    /// The most messages that may have been left.
    package var messages: Int
    /// When the transfer was given up.
    package var created: Moment
}

/// The journal's entries for the messages of a transfer.
extension PermissionStore {
    /// Records the messages of an APPEND before it is completed, together with the outcome of
    /// the APPEND before it, in one transaction.
    /// - Parameter transfer: The number of the transfer's entry.
    package func recordAppend(_ append: TransferAppend, of transfer: Int64) throws {
        try self.write(locking: .journal) { transaction in
            try transaction.requireOwn(transfer: transfer)
            try transaction.set(append.previous, transfer: transfer)
            for message in append.messages {
                try transaction.execute(
                    sql: """
                        INSERT INTO transferCopy (transfer, append, source, octets, date, digest)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        transfer, append.number, message.source, Int64(clamping: message.octets),
                        message.date, Data(message.digest.octets),
                    ]
                )
            }
        }
    }

    /// Records copies that were found at the target.
    /// - Parameter found: The UIDs at the target, by the UIDs at the source.
    package func recordFound(_ found: [UInt32: UInt32], of transfer: Int64) throws {
        try self.write(locking: .journal) { transaction in
            if transaction.connection.instance != 0 {
                try transaction.requireOwn(transfer: transfer)
            }
            for (source, uid) in found {
                try transaction.execute(
                    sql: """
                        UPDATE transferCopy SET stored = 1, uid = ?
                        WHERE transfer = ? AND source = ? AND stored = 0
                        """,
                    arguments: [uid, transfer, source]
                )
            }
        }
    }

    // MARK: - What stays

    /// Gives a transfer up: deletes its entry, and records that copies may remain at the
    /// target. Old records of that kind are deleted.
    /// - Parameter messages: The most copies that may remain.
    package func leaveTransfer(_ id: Int64, messages: Int) throws {
        try self.write(locking: .journal) { transaction in
            let now = Moment.current.seconds
            try transaction.execute(
                sql: """
                    INSERT INTO copyLeft (account, folder, messages, created)
                    SELECT target, targetFolder, ?, ? FROM transfer WHERE id = ? AND instance = ?
                    """,
                arguments: [messages, now, id, transaction.connection.instance]
            )
            try transaction.delete(transfer: id)
            try transaction.execute(
                sql: """
                    DELETE FROM copyLeft WHERE created < ?
                        OR id <= (SELECT max(id) FROM copyLeft) - ?
                    """,
                arguments: [now - StoreTransaction.leftTime, StoreTransaction.maximumLeft]
            )
        }
    }

    /// The copies left by transfers that were given up in the last thirty days, the latest
    /// first.
    package func copiesLeft() throws -> [CopiesLeft] {
        try self.read { transaction in
            try transaction.rows(
                sql: """
                    SELECT copyLeft.*, address.address FROM copyLeft
                    JOIN address ON address.account = copyLeft.account AND isPrimary = 1
                    WHERE created >= ? ORDER BY id DESC
                    """,
                arguments: [Moment.current.seconds - StoreTransaction.leftTime]
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

/// The messages of transfers, inside a transaction.
extension StoreTransaction {
    /// Seconds for which a record of left copies is kept: an administrator who runs `gatepost
    /// doctor` once a month sees each of them.
    static let leftTime: Int64 = 30 * 86_400
    /// The most records of left copies. A client that interrupts one transfer after the other
    /// must not fill the store.
    static let maximumLeft = 1_000

    /// Records the outcome of an APPEND. Without an answer the messages stay open; a refused
    /// APPEND stored none of them. UIDs are recorded only if there is one for each message.
    func set(_ outcome: AppendOutcome, transfer: Int64) throws {
        let open = "transfer = ? AND append = ? AND stored = 0"
        switch outcome.answer {
        case .missing:
            return
        case .refused:
            try self.execute(
                sql: "DELETE FROM transferCopy WHERE \(open)",
                arguments: [transfer, outcome.number]
            )
        case .stored(let uids):
            let rows = try self.values(
                of: Int64.self,
                sql: "SELECT id FROM transferCopy WHERE \(open) ORDER BY id",
                arguments: [transfer, outcome.number]
            )
            let known = uids.flatMap { $0.count == rows.count ? $0 : nil }
            for (index, row) in rows.enumerated() {
                try self.execute(
                    sql: "UPDATE transferCopy SET stored = 1, uid = ? WHERE id = ?",
                    arguments: [known?[index], row]
                )
            }
        }
    }

    /// The messages that a transfer sent, in the order of sending.
    func copies(of transfer: Int64) throws -> [Transfer.Copy] {
        try self.rows(
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
}
