package import Access
import Foundation

/// The journal of transfers. It decides nothing about permissions, so the revision stays as it is.
extension PermissionStore {
    /// A MOVE reserves its messages. A COPY does not, or who may only read could keep the owner from
    /// moving them; of two that bring the same messages to one mailbox, neither guesses later which
    /// copies are its own.
    ///
    /// - Returns: the entry's number; nil where some of the messages are being moved.
    package func recordTransfer(_ transfer: Transfer) throws -> Int64? {
        try self.write { transaction in
            let uids = Set(transfer.uids)
            let others = try transaction.rows(
                sql: "SELECT * FROM transfer WHERE source = ? AND sourceFolder = ?",
                arguments: [
                    transfer.source.account.rawValue, Data(transfer.source.folder.octets),
                ]
            ).compactMap { row in
                StoreTransaction.transfer(row).map { (id: row["id"] as Int64, row: $0) }
            }
            .filter { !uids.isDisjoint(with: $0.row.uids) }
            guard !others.contains(where: \.row.moves) else { return nil }
            let rivals = others.filter { $0.row.target == transfer.target }
            for rival in rivals {
                try transaction.execute(
                    sql: "UPDATE transfer SET contested = 1 WHERE id = ?",
                    arguments: [rival.id]
                )
            }
            try transaction.execute(
                sql: """
                    INSERT INTO transfer (id, state, moves, source, sourceFolder, sourceValidity, uids,
                        target, targetFolder, targetValidity, uidNext, created, contested,
                        recordsCopies)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
                    """,
                arguments: [
                    // In another state of the store, too, it means this transfer or none.
                    Int64.random(in: 1..<Int64.max), transfer.state.rawValue,
                    transfer.moves,
                    transfer.source.account.rawValue,
                    Data(transfer.source.folder.octets), transfer.source.uidValidity,
                    StoreTransaction.data(transfer.uids), transfer.target.account.rawValue,
                    Data(transfer.target.folder.octets), transfer.target.uidValidity,
                    transfer.uidNext, Moment.current.seconds, !rivals.isEmpty,
                ]
            )
            return transaction.insertedKey
        }
    }

    /// - Throws: also where the journal has no such entry any more; nothing is written then.
    /// - Parameters:
    ///   - uids: the messages at the source, where they are others now.
    ///   - last: what the last APPEND came to.
    package func setTransfer(
        _ id: Int64,
        state: Transfer.State,
        uids: [UInt32]? = nil,
        last: AppendOutcome? = nil
    ) throws {
        try self.write { transaction in
            if let last { try transaction.set(last, transfer: id) }
            try transaction.execute(
                sql: "UPDATE transfer SET state = ?, uids = coalesce(?, uids) WHERE id = ?",
                arguments: [state.rawValue, uids.map(StoreTransaction.data), id]
            )
            guard transaction.changedRows == 1 else { throw StoreTransaction.noTransfer }
        }
    }

    package func forgetTransfer(_ id: Int64) throws {
        try self.write { transaction in
            try transaction.execute(sql: "DELETE FROM transfer WHERE id = ?", arguments: [id])
        }
    }

    /// - Returns: nil for one that is not there any more.
    package func transfer(_ id: Int64) throws -> Transfer? {
        try self.read { transaction in
            try transaction.row(sql: "SELECT * FROM transfer WHERE id = ?", arguments: [id])
                .flatMap(StoreTransaction.transfer)
                .map { row in
                    var row = row
                    row.copies = try transaction.copies(of: id)
                    return row
                }
        }
    }

    /// The numbers of every entry: right after the start, of what an earlier run left.
    package func transfers() throws -> [Int64] {
        try self.read { transaction in
            try transaction.values(
                of: Int64.self,
                sql: "SELECT id FROM transfer ORDER BY created, id"
            )
        }
    }

    /// How many transfers have been in the journal for longer than a server takes to answer.
    package func interruptedTransfers() throws -> Int {
        try self.read { transaction in
            try transaction.value(
                of: Int.self,
                sql: "SELECT count(*) FROM transfer WHERE created < ?",
                arguments: [Moment.current.seconds - StoreTransaction.transferTime]
            ) ?? 0
        }
    }
}

/// The same within a transaction.
extension StoreTransaction {
    /// The journal that had it was replaced, or an account of it was removed.
    static let noTransfer = StoreError.notFound("the journal has no such transfer")

    static let transferTime: Int64 = 600

    static func transfer(_ row: StoreRow) -> Transfer? {
        guard let source = Self.place(row, name: "source"),
            let target = Self.place(row, name: "target"),
            let state = Transfer.State(rawValue: row["state"])
        else {
            return nil
        }
        var transfer = Transfer(
            state: state,
            moves: row["moves"],
            source: source,
            uids: Self.uids(row["uids"]),
            target: target,
            uidNext: row["uidNext"]
        )
        transfer.isContested = row["contested"]
        transfer.recordsCopies = row["recordsCopies"]
        return transfer
    }

    private static func place(_ row: StoreRow, name: String) -> Transfer.Place? {
        let folder: Data = row["\(name)Folder"]
        return FolderPath(octets: Array(folder)).map {
            Transfer.Place(
                account: AccountID(row[name]),
                folder: $0,
                uidValidity: row["\(name)Validity"]
            )
        }
    }

    /// Four octets a UID, the most significant first.
    static func data(_ uids: [UInt32]) -> Data {
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
