package import Access
import Foundation

/// The journal of transfers, from which an interrupted COPY or MOVE between accounts is
/// completed or rolled back. It does not affect access, so the revision stays as it is and the
/// audit log gets no record.
extension PermissionStore {
    /// Adds an entry before the first message is sent.
    ///
    /// A MOVE reserves its messages. A COPY does not: a user who may only read could otherwise
    /// keep the owner from moving them. Two transfers of the same messages to one mailbox are
    /// marked as contested, because neither could tell later which copies are its own.
    ///
    /// - Parameter id: The entry's number. A random number never denotes another transfer, even in
    ///   an older copy of the store. The caller who chose it can look for the entry if the answer to
    ///   the COMMIT was lost.
    /// - Returns: The entry's number; nil if some of the messages are being moved.
    package func recordTransfer(
        _ transfer: Transfer,
        as id: Int64 = .random(in: 1..<Int64.max)
    ) throws -> Int64? {
        try self.write(locking: .journal) { transaction in
            try transaction.connection.renewLease()
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
                        node, instance, recordsCopies)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
                    """,
                arguments: [
                    id, transfer.state.rawValue, transfer.moves,
                    transfer.source.account.rawValue,
                    Data(transfer.source.folder.octets), transfer.source.uidValidity,
                    StoreTransaction.data(transfer.uids), transfer.target.account.rawValue,
                    Data(transfer.target.folder.octets), transfer.target.uidValidity,
                    transfer.uidNext, Moment.current.seconds, !rivals.isEmpty,
                    transaction.connection.node, transaction.connection.instance,
                ]
            )
            return id
        }
    }

    /// Records the progress of a transfer.
    /// - Parameters:
    ///   - uids: The UIDs at the source, if they changed.
    ///   - last: The outcome of the last APPEND.
    /// - Throws: ``StoreError`` of kind `notFound` if the journal has no such entry any more, or
    ///   if another node took it over; then nothing is written.
    package func setTransfer(
        _ id: Int64,
        state: Transfer.State,
        uids: [UInt32]? = nil,
        last: AppendOutcome? = nil
    ) throws {
        try self.write(locking: .journal) { transaction in
            try transaction.requireOwn(transfer: id)
            if let last { try transaction.set(last, transfer: id) }
            try transaction.execute(
                sql: "UPDATE transfer SET state = ?, uids = coalesce(?, uids) WHERE id = ?",
                arguments: [state.rawValue, uids.map(StoreTransaction.data), id]
            )
        }
    }

    /// Deletes the entry of a completed transfer. Does nothing if there is none.
    /// - Throws: ``StoreError`` of kind `notFound` if nodes share the store and this process has
    ///   no such entry: another node may have undone the transfer.
    package func forgetTransfer(_ id: Int64) throws {
        try self.write(locking: .journal) { transaction in
            try transaction.delete(transfer: id)
        }
    }

    /// An entry with the messages that it sent; nil if there is none.
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

    /// The numbers of this node's entries, oldest first. At the start of a gateway with a file
    /// these are the transfers that an earlier process left.
    package func transfers() throws -> [Int64] {
        try self.read { transaction in
            try transaction.values(
                of: Int64.self,
                sql: "SELECT id FROM transfer WHERE node = ? ORDER BY created, id",
                arguments: [transaction.connection.node]
            )
        }
    }

    /// The number of transfers that are older than ``StoreTransaction/transferTime``.
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

/// The journal inside a transaction.
extension StoreTransaction {
    /// The error for a missing entry: the file with it was replaced, one of its accounts was
    /// removed, or another node took it over.
    static let noTransfer = StoreError.notFound("the journal has no such transfer")

    /// Seconds after which a transfer counts as interrupted: longer than a server takes to
    /// answer.
    static let transferTime: Int64 = 600

    /// The transfer in a row, without its messages; nil for a folder name or a state that is
    /// not valid.
    static func transfer(_ row: StoreRow) -> Transfer? {
        guard let source = Self.mailbox(row, name: "source"),
            let target = Self.mailbox(row, name: "target"),
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

    /// A mailbox of a transfer: its account, folder and UIDVALIDITY.
    /// - Parameter name: The prefix of the columns: `source` or `target`.
    private static func mailbox(_ row: StoreRow, name: String) -> Transfer.Mailbox? {
        let folder: Data = row["\(name)Folder"]
        return FolderPath(octets: Array(folder)).map {
            Transfer.Mailbox(
                account: AccountID(row[name]),
                folder: $0,
                uidValidity: row["\(name)Validity"]
            )
        }
    }

    /// UIDs as four octets each, the most significant octet first.
    static func data(_ uids: [UInt32]) -> Data {
        Data(
            uids.flatMap { uid in (0..<4).map { UInt8(truncatingIfNeeded: uid >> (24 - 8 * $0)) } }
        )
    }

    /// The inverse of ``data(_:)``; octets after the last whole UID are ignored.
    private static func uids(_ data: Data) -> [UInt32] {
        let octets = Array(data)
        return stride(from: 0, to: octets.count - octets.count % 4, by: 4).map { start in
            octets[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }
}
