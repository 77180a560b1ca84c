import Access
import Foundation

/// A COPY or MOVE between accounts that the journal has not finished, as `gatepost transfer list`
/// prints it, in text and in JSON.
package struct OpenTransferRow: Codable, Equatable, Sendable {
    /// The number of the journal's entry.
    package var id: Int64
    /// `begun` while messages are sent to the target, `copied` once it has confirmed all of them.
    package var state: String
    /// Whether the messages are removed at the source afterwards.
    package var moves: Bool
    /// The primary address of the account that has the messages.
    package var source: String
    /// The path of their folder.
    package var sourceFolder: String
    /// The primary address of the account that gets them.
    package var target: String
    /// The path of the folder that gets them.
    package var targetFolder: String
    /// The number of messages.
    package var messages: Int
    /// The messages of which the target has confirmed a copy.
    package var stored: Int
    /// When the transfer began, in seconds since 1970.
    package var created: Int64
    /// Whether it is older than any server takes to answer: it failed, or its gateway stopped.
    package var interrupted: Bool
    /// The node that makes the transfer; empty for the only gateway of a file.
    package var node: String
}

/// The transfers that the journal has not finished.
extension PermissionStore {
    /// The open transfers of all nodes, oldest first.
    package func openTransfers() throws -> [OpenTransferRow] {
        let now = Moment.current.seconds
        return try self.read { transaction in
            var rows: [OpenTransferRow] = []
            try transaction.forEach(
                sql: """
                    SELECT transfer.id, transfer.state, transfer.moves, origin.address,
                        transfer.sourceFolder, goal.address, transfer.targetFolder, transfer.uids,
                        (SELECT count(*) FROM transferCopy
                            WHERE transferCopy.transfer = transfer.id AND transferCopy.stored = 1),
                        transfer.created, transfer.node
                    FROM transfer
                    JOIN address AS origin
                        ON origin.account = transfer.source AND origin.isPrimary = 1
                    JOIN address AS goal ON goal.account = transfer.target AND goal.isPrimary = 1
                    ORDER BY transfer.created, transfer.id
                    """
            ) { row in
                let created: Int64 = row[9]
                rows.append(
                    OpenTransferRow(
                        id: row[0],
                        state: row[1],
                        moves: row[2],
                        source: row[3],
                        sourceFolder: String(decoding: row[4] as Data, as: UTF8.self),
                        target: row[5],
                        targetFolder: String(decoding: row[6] as Data, as: UTF8.self),
                        // Four octets a UID.
                        messages: (row[7] as Data).count / 4,
                        stored: row[8],
                        created: created,
                        interrupted: created < now - StoreTransaction.transferTime,
                        node: row[10]
                    )
                )
            }
            return rows
        }
    }
}
