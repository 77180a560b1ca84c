package import Access
import Foundation
import GRDB

/// A COPY or MOVE between two accounts, in the journal until nothing of it is in doubt.
package struct TransferRow: Equatable, Sendable {
    package struct Place: Equatable, Sendable {
        package var account: AccountID
        package var folder: FolderPath
        package var uidValidity: UInt32

        package init(account: AccountID, folder: FolderPath, uidValidity: UInt32) {
            self.account = account
            self.folder = folder
            self.uidValidity = uidValidity
        }
    }

    /// `begun` or `copied`.
    package var state: String
    package var moves: Bool
    package var source: Place
    /// The messages at the source.
    package var uids: [UInt32]
    package var target: Place
    package var uidNext: UInt32

    package init(
        state: String,
        moves: Bool,
        source: Place,
        uids: [UInt32],
        target: Place,
        uidNext: UInt32
    ) {
        self.state = state
        self.moves = moves
        self.source = source
        self.uids = uids
        self.target = target
        self.uidNext = uidNext
    }
}

/// The journal of transfers. It decides nothing about permissions, so the revision stays as it is.
extension PermissionStore {
    /// - Returns: the entry's number; nil where another entry has some of the messages, and one of
    ///   the two could take away what the other has just brought.
    package func recordTransfer(_ transfer: TransferRow) throws -> Int64? {
        try self.database.write { database in
            let others = try Row.fetchAll(
                database,
                sql: "SELECT * FROM transfer WHERE source = ? AND sourceFolder = ?",
                arguments: [
                    transfer.source.account.rawValue, Data(transfer.source.folder.octets),
                ]
            ).compactMap(Self.transfer)
            let uids = Set(transfer.uids)
            let isBusy = others.contains { other in
                (other.moves || transfer.moves || other.target == transfer.target)
                    && !uids.isDisjoint(with: other.uids)
            }
            guard !isBusy else { return nil }
            try database.execute(
                sql: """
                    INSERT INTO transfer (state, moves, source, sourceFolder, sourceValidity, uids,
                        target, targetFolder, targetValidity, uidNext, created)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    transfer.state, transfer.moves, transfer.source.account.rawValue,
                    Data(transfer.source.folder.octets), transfer.source.uidValidity,
                    Self.data(transfer.uids), transfer.target.account.rawValue,
                    Data(transfer.target.folder.octets), transfer.target.uidValidity,
                    transfer.uidNext, Moment.current.seconds,
                ]
            )
            return database.lastInsertedRowID
        }
    }

    /// - Parameter uids: the messages at the source, where they are others now.
    package func setTransfer(_ id: Int64, state: String, uids: [UInt32]? = nil) throws {
        try self.database.write { database in
            try database.execute(
                sql: "UPDATE transfer SET state = ?, uids = coalesce(?, uids) WHERE id = ?",
                arguments: [state, uids.map(Self.data), id]
            )
        }
    }

    package func forgetTransfer(_ id: Int64) throws {
        try self.database.write { database in
            try database.execute(sql: "DELETE FROM transfer WHERE id = ?", arguments: [id])
        }
    }

    /// - Returns: nil for one that is not there any more.
    package func transfer(_ id: Int64) throws -> TransferRow? {
        try self.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM transfer WHERE id = ?", arguments: [id])
                .flatMap(Self.transfer)
        }
    }

    /// The numbers of every entry: right after the start, of what an earlier run left.
    package func transfers() throws -> [Int64] {
        try self.read { database in
            try Int64.fetchAll(database, sql: "SELECT id FROM transfer ORDER BY id")
        }
    }

    /// How many transfers have been in the journal for longer than a server takes to answer.
    package func interruptedTransfers() throws -> Int {
        try self.read { database in
            try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM transfer WHERE created < ?",
                arguments: [Moment.current.seconds - Self.transferTime]
            ) ?? 0
        }
    }

    private static let transferTime: Int64 = 600

    private static func transfer(_ row: Row) -> TransferRow? {
        guard let source = self.place(row, "source"), let target = self.place(row, "target") else {
            return nil
        }
        return TransferRow(
            state: row["state"],
            moves: row["moves"],
            source: source,
            uids: self.uids(row["uids"]),
            target: target,
            uidNext: row["uidNext"]
        )
    }

    private static func place(_ row: Row, _ name: String) -> TransferRow.Place? {
        let folder: Data = row["\(name)Folder"]
        return FolderPath(octets: Array(folder)).map {
            TransferRow.Place(
                account: AccountID(row[name]),
                folder: $0,
                uidValidity: row["\(name)Validity"]
            )
        }
    }

    /// Four octets a UID, the most significant first.
    private static func data(_ uids: [UInt32]) -> Data {
        Data(
            uids.flatMap { uid in (0..<4).map { UInt8(truncatingIfNeeded: uid >> (24 - 8 * $0)) } }
        )
    }

    private static func uids(_ data: Data) -> [UInt32] {
        let octets = Array(data)
        return stride(from: 0, to: octets.count - octets.count % 4, by: 4).map { start in
            octets[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }
}
