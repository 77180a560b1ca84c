package import Access
import Foundation

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

    func write(_ masterKey: MasterKey, transaction: StoreTransaction) throws {
        try transaction.execute(
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

    static func fetch(_ kind: Kind, transaction: StoreTransaction) throws -> AuditSeal? {
        try transaction.row(
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
