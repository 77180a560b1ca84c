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

    /// A message that was sent to the target.
    package struct Copy: Equatable, Sendable {
        /// Its UID at the source.
        package var source: UInt32
        package var octets: UInt64
        /// INTERNALDATE, in seconds since 1970.
        package var date: Int64
        /// SHA-256 of its octets.
        package var digest: [UInt8]
        /// Whether the target has confirmed it.
        package var isStored: Bool
        /// Its UID at the target, where that is known.
        package var uid: UInt32?

        package init(
            source: UInt32,
            octets: UInt64,
            date: Int64,
            digest: [UInt8],
            isStored: Bool = false,
            uid: UInt32? = nil
        ) {
            self.source = source
            self.octets = octets
            self.date = date
            self.digest = digest
            self.isStored = isStored
            self.uid = uid
        }
    }

    /// What an APPEND came to, by its number; nil where that is not known.
    package enum Answer: Equatable, Sendable {
        case refused
        /// - Parameter uids: at the target, in the messages' order.
        case stored(uids: [UInt32]?)
    }

    /// `begun` or `copied`.
    package var state: String
    package var moves: Bool
    package var source: Place
    /// The messages at the source.
    package var uids: [UInt32]
    package var target: Place
    package var uidNext: UInt32
    /// What was sent, in order.
    package var copies: [Copy] = []
    /// Whether another transfer of the same messages into the same mailbox ran at the same time.
    package var isContested = false
    /// Whether ``copies`` is kept; entries of earlier versions have none.
    package var recordsCopies = true

    package init(
        state: String,
        moves: Bool,
        source: Place,
        uids: [UInt32],
        target: Place,
        uidNext: UInt32,
        isContested: Bool = false,
        recordsCopies: Bool = true
    ) {
        self.state = state
        self.moves = moves
        self.source = source
        self.uids = uids
        self.target = target
        self.uidNext = uidNext
        self.isContested = isContested
        self.recordsCopies = recordsCopies
    }
}

/// The journal of transfers. It decides nothing about permissions, so the revision stays as it is.
extension PermissionStore {
    /// A MOVE reserves its messages. A COPY does not, or who may only read could keep the owner from
    /// moving them; of two that bring the same messages to one mailbox, neither guesses later which
    /// copies are its own.
    ///
    /// - Returns: the entry's number; nil where some of the messages are being moved.
    package func recordTransfer(_ transfer: TransferRow) throws -> Int64? {
        try self.write { database in
            let uids = Set(transfer.uids)
            let others = try Row.fetchAll(
                database,
                sql: "SELECT * FROM transfer WHERE source = ? AND sourceFolder = ?",
                arguments: [
                    transfer.source.account.rawValue, Data(transfer.source.folder.octets),
                ]
            ).compactMap { row in Self.transfer(row).map { (id: row["id"] as Int64, row: $0) } }
                .filter { !uids.isDisjoint(with: $0.row.uids) }
            guard !others.contains(where: \.row.moves) else { return nil }
            let rivals = others.filter { $0.row.target == transfer.target }
            for rival in rivals {
                try database.execute(
                    sql: "UPDATE transfer SET contested = 1 WHERE id = ?",
                    arguments: [rival.id]
                )
            }
            try database.execute(
                sql: """
                    INSERT INTO transfer (id, state, moves, source, sourceFolder, sourceValidity, uids,
                        target, targetFolder, targetValidity, uidNext, created, contested,
                        recordsCopies)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
                    """,
                arguments: [
                    // In another state of the store, too, it means this transfer or none.
                    Int64.random(in: 1..<Int64.max), transfer.state, transfer.moves,
                    transfer.source.account.rawValue,
                    Data(transfer.source.folder.octets), transfer.source.uidValidity,
                    Self.data(transfer.uids), transfer.target.account.rawValue,
                    Data(transfer.target.folder.octets), transfer.target.uidValidity,
                    transfer.uidNext, Moment.current.seconds, !rivals.isEmpty,
                ]
            )
            return database.lastInsertedRowID
        }
    }

    /// - Throws: also where the journal has no such entry any more; nothing is written then.
    /// - Parameters:
    ///   - uids: the messages at the source, where they are others now.
    ///   - answer: what the APPEND of this number came to, where that is known.
    package func setTransfer(
        _ id: Int64,
        state: String,
        uids: [UInt32]? = nil,
        answer: (number: Int, answer: TransferRow.Answer)? = nil
    ) throws {
        try self.write { database in
            if let answer {
                try Self.set(
                    answer.answer,
                    ofAppend: answer.number,
                    transfer: id,
                    database: database
                )
            }
            try database.execute(
                sql: "UPDATE transfer SET state = ?, uids = coalesce(?, uids) WHERE id = ?",
                arguments: [state, uids.map(Self.data), id]
            )
            guard database.changesCount == 1 else { throw Self.noTransfer }
        }
    }

    /// The journal that had it was replaced, or an account of it was removed.
    static let noTransfer = StoreError.notFound("the journal has no such transfer")

    package func forgetTransfer(_ id: Int64) throws {
        try self.write { database in
            try database.execute(sql: "DELETE FROM transfer WHERE id = ?", arguments: [id])
        }
    }

    /// - Returns: nil for one that is not there any more.
    package func transfer(_ id: Int64) throws -> TransferRow? {
        try self.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM transfer WHERE id = ?", arguments: [id])
                .flatMap(Self.transfer)
                .map { row in
                    var row = row
                    row.copies = try Self.copies(of: id, database)
                    return row
                }
        }
    }

    /// The numbers of every entry: right after the start, of what an earlier run left.
    package func transfers() throws -> [Int64] {
        try self.read { database in
            try Int64.fetchAll(database, sql: "SELECT id FROM transfer ORDER BY created, id")
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
        guard let source = self.place(row, name: "source"),
            let target = self.place(row, name: "target")
        else {
            return nil
        }
        return TransferRow(
            state: row["state"],
            moves: row["moves"],
            source: source,
            uids: self.uids(row["uids"]),
            target: target,
            uidNext: row["uidNext"],
            isContested: row["contested"],
            recordsCopies: row["recordsCopies"]
        )
    }

    private static func place(_ row: Row, name: String) -> TransferRow.Place? {
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
