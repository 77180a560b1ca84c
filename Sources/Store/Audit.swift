package import Access
import Crypto
import Foundation
import GRDB

/// A record of the audit log with its place there.
package struct AuditEntry: Equatable, Sendable {
    /// Counts the records, without a gap.
    package var sequence: Int64
    package var moment: Moment
    package var record: AuditRecord
}

/// The audit log. Records are appended and never changed; each has a hash over the one before it,
/// so that what was changed, taken out or put elsewhere shows (``PermissionStore/verifyAudit(_:)``).
extension PermissionStore {
    /// The hash before the first record.
    static let firstHash = Data(repeating: 0, count: SHA256.byteCount)

    /// Appends records in one transaction.
    package func audit(_ records: [(moment: Moment, record: AuditRecord)]) throws {
        do {
            try self.write { database in
                try Self.append(records, database: database)
            }
        } catch let error as DatabaseError {
            throw Self.explained(error)
        }
    }

    static func append(
        _ records: [(moment: Moment, record: AuditRecord)],
        database: Database
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var (sequence, hash) = try self.auditEnd(database)
        let insert = try database.cachedStatement(
            sql: "INSERT INTO audit (sequence, moment, record, hash) VALUES (?, ?, ?, ?)"
        )
        for (moment, record) in records {
            sequence += 1
            let text = String(decoding: try encoder.encode(record), as: UTF8.self)
            hash = self.hash(after: hash, sequence, moment: moment.seconds, text: text)
            try insert.execute(arguments: [sequence, moment.seconds, text, hash])
        }
    }

    /// The last record's number and hash.
    static func auditEnd(_ database: Database) throws -> (sequence: Int64, hash: Data) {
        let last = try Row.fetchOne(
            database,
            sql: "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1"
        )
        if let last { return (last["sequence"], last["hash"]) }
        let start = try AuditSeal.fetch(.start, database: database)
        return (start?.sequence ?? 0, start?.hash ?? self.firstHash)
    }

    /// SHA-256 of the hash before, and of all that the record holds.
    static func hash(
        after previous: Data,
        _ sequence: Int64,
        moment: Int64,
        text: String
    ) -> Data {
        var hasher = SHA256()
        hasher.update(data: previous)
        hasher.update(data: Data("\(sequence) \(moment) \(text)".utf8))
        return Data(hasher.finalize())
    }

    // MARK: - Reading

    /// - Parameters:
    ///   - account: an address; nil for every account.
    ///   - user: who acted; nil for everybody.
    package func auditEntries(
        account: String? = nil,
        user: String? = nil,
        since: Moment? = nil
    ) throws -> [AuditEntry] {
        let actor = user.map { (try? Self.address($0).description) ?? $0 }
        func isBy(_ actor: String?, record: AuditRecord) -> Bool {
            guard let actor else { return true }
            // Who became another user by sudo is found by the own name.
            return record.actor == actor || record.actor.hasPrefix("\(actor) as ")
        }
        return try self.read { database in
            // The name of an account that is gone is taken as it is.
            let address = try account.map {
                try Self.primary(named: $0, database) ?? Self.address($0).description
            }
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT * FROM audit WHERE moment >= ? ORDER BY sequence",
                arguments: [since?.seconds ?? 0]
            )
            var entries: [AuditEntry] = []
            let decoder = JSONDecoder()
            while let row = try rows.next() {
                let text: String = row["record"]
                guard let record = try? decoder.decode(AuditRecord.self, from: Data(text.utf8))
                else {
                    throw StoreError.unusable("the audit log is damaged: gatepost audit verify")
                }
                guard Self.isAbout(address, record: record), isBy(actor, record: record) else {
                    continue
                }
                entries.append(
                    AuditEntry(
                        sequence: row["sequence"],
                        moment: Moment(seconds: row["moment"]),
                        record: record
                    )
                )
            }
            return entries
        }
    }

    /// Whether a record is about an account; of a change of several, whether it names it.
    private static func isAbout(_ address: String?, record: AuditRecord) -> Bool {
        guard let address else { return true }
        if record.account == address || record.targetAccount == address { return true }
        return record.account == nil
            && record.detail?.contains { $0.contains(address) } ?? false
    }

    /// When each account was used last by whom: its address, then the login.
    ///
    /// What programs do by themselves, as STATUS of every folder, is no use.
    package func lastUses() throws -> [String: [String: Moment]] {
        var uses: [String: [String: Moment]] = [:]
        for entry in try self.auditEntries() where entry.record.outcome == .allowed {
            guard Self.uses.contains(entry.record.event) else { continue }
            for account in [entry.record.account, entry.record.targetAccount] {
                guard let account else { continue }
                uses[account, default: [:]][entry.record.actor] = entry.moment
            }
        }
        return uses
    }

    private static let uses: Set<String> = [
        "select", "examine", "fetch", "copy", "move", "append", "expunge", "create", "delete",
        "rename", "send as", "send on behalf",
    ]

    // MARK: - Sealing

    /// Seals the log up to its last record: from now on an end that is cut off shows.
    ///
    /// - Parameter begins: whether no seal is there yet. Else nothing is sealed that does not follow,
    ///   record by record, from what the last seal has.
    /// - Returns: the seal; nil where the last one is of the same end.
    @discardableResult
    package func sealAudit(_ masterKey: MasterKey, begins: Bool = false) throws -> AuditSeal? {
        try self.write { database in
            let (sequence, hash) = try Self.auditEnd(database)
            if !begins {
                let last = try Self.requireSealed(masterKey, database: database)
                guard last.sequence != sequence else { return nil }
            }
            let seal = AuditSeal(.checkpoint, sequence: sequence, hash: hash, at: .current)
            try seal.write(masterKey, database: database)
            return seal
        }
    }

    /// The last seal, where all that came since follows from it.
    /// - Throws: where the log was changed: who seals it then would make that look genuine.
    @discardableResult
    private static func requireSealed(
        _ masterKey: MasterKey,
        database: Database
    ) throws -> AuditSeal {
        let changed = StoreError.unusable(
            "the audit log was changed and is not sealed any more: gatepost audit verify"
        )
        guard let last = try AuditSeal.fetch(.checkpoint, database: database),
            last.isAuthentic(masterKey)
        else { throw changed }
        let start = try AuditSeal.fetch(.start, database: database)
        guard start?.isAuthentic(masterKey) ?? true else { throw changed }
        var (sequence, hash) = (last.sequence, last.hash)
        if let start, start.sequence > sequence {
            // Retention, which had followed the log so far, has gone beyond the last seal.
            (sequence, hash) = (start.sequence, start.hash)
        } else if sequence > start?.sequence ?? 0 {
            let stored = try Data.fetchOne(
                database,
                sql: "SELECT hash FROM audit WHERE sequence = ?",
                arguments: [sequence]
            )
            guard stored == hash else { throw changed }
        }
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT * FROM audit WHERE sequence > ? ORDER BY sequence",
            arguments: [sequence]
        )
        while let row = try rows.next() {
            let next = self.hash(
                after: hash,
                row["sequence"],
                moment: row["moment"],
                text: row["record"]
            )
            guard row["sequence"] == sequence + 1, row["hash"] == next else { throw changed }
            (sequence, hash) = (sequence + 1, next)
        }
        return last
    }

    /// Deletes the records up to the last one before a moment, and leaves a seal in their place.
    /// - Returns: how many were deleted.
    package func deleteAudit(before moment: Moment, _ masterKey: MasterKey) throws -> Int {
        try self.write { database in
            // Behind the first younger one nothing is deleted, should a clock have gone wrong.
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT sequence, hash FROM audit WHERE sequence < coalesce(
                        (SELECT min(sequence) FROM audit WHERE moment >= ?),
                        (SELECT max(sequence) + 1 FROM audit)
                    ) ORDER BY sequence DESC LIMIT 1
                    """,
                arguments: [moment.seconds]
            )
            guard let row else { return 0 }
            try Self.requireSealed(masterKey, database: database)
            let seal = AuditSeal(.start, sequence: row["sequence"], hash: row["hash"], at: .current)
            try seal.write(masterKey, database: database)
            try database.execute(
                sql: "DELETE FROM audit WHERE sequence <= ?",
                arguments: [seal.sequence]
            )
            let count = database.changesCount
            var record = AuditRecord(event: "retention", actor: "gatepost")
            record.count = count
            record.detail = ["records up to \(seal.sequence) were deleted"]
            try Self.append([(.current, record)], database: database)
            return count
        }
    }
}

/// What the log was at one moment, authenticated with the master key.
package struct AuditSeal: Equatable, Sendable {
    package enum Kind: String, Sendable {
        /// The log had this end.
        case checkpoint
        /// What came before, this record included, was deleted by retention.
        case start
    }

    package var kind: Kind
    package var sequence: Int64
    var hash: Data
    package var moment: Moment
    private var mark = Data()

    init(_ kind: Kind, sequence: Int64, hash: Data, at moment: Moment) {
        self.kind = kind
        self.sequence = sequence
        self.hash = hash
        self.moment = moment
    }

    /// `SEQUENCE:HASH`, to be kept elsewhere.
    package var anchor: String {
        "\(self.sequence):" + self.hash.map { String(format: "%02x", $0) }.joined()
    }

    private var text: Data {
        Data("\(self.kind.rawValue) \(self.sequence) \(self.moment.seconds) ".utf8) + self.hash
    }

    func isAuthentic(_ masterKey: MasterKey) -> Bool {
        masterKey.isValid(self.mark, for: self.text)
    }

    func write(_ masterKey: MasterKey, database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO auditSeal (kind, sequence, hash, moment, mark)
                VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                self.kind.rawValue, self.sequence, self.hash, self.moment.seconds,
                masterKey.mark(self.text),
            ]
        )
    }

    static func fetch(_ kind: Kind, database: Database) throws -> AuditSeal? {
        try Row.fetchOne(
            database,
            sql: "SELECT * FROM auditSeal WHERE kind = ?",
            arguments: [kind.rawValue]
        ).map { row in
            var seal = AuditSeal(
                kind,
                sequence: row["sequence"],
                hash: row["hash"],
                at: Moment(seconds: row["moment"])
            )
            seal.mark = row["mark"]
            return seal
        }
    }
}
