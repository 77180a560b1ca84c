package import Access
import Foundation

/// The state of a node's audit log at one moment, authenticated with the master key. It proves which
/// record was the last one, which a hash chain alone cannot.
package struct AuditSeal: Equatable, Sendable {
    /// Which end of the log the seal marks.
    package enum Kind: String, Sendable {
        /// The log ended at this record when it was sealed.
        case checkpoint
        /// Retention deleted all records up to and including this one.
        case start
    }

    /// The seal's kind; a node has at most one seal of each.
    package var kind: Kind
    /// The node whose chain is sealed; empty for the only chain of a file.
    package var node: String
    /// The number of the sealed record; 0 for a log without records.
    package var sequence: Int64
    /// The hash of the sealed record, 32 octets.
    var hash: Data
    /// When the seal was made.
    package var moment: Moment
    /// The message authentication code over ``text``; empty until the seal is read from the
    /// store.
    private var mark = Data()

    /// Creates a seal that is not authenticated yet; ``write(_:transaction:)`` adds the code.
    init(_ kind: Kind, node: String, sequence: Int64, hash: Data, at moment: Moment) {
        self.kind = kind
        self.node = node
        self.sequence = sequence
        self.hash = hash
        self.moment = moment
    }

    /// The text of the ``AuditAnchor``. An administrator keeps it outside the store, so that a log
    /// that was replaced or removed together with its seals is detected.
    package var anchor: String {
        AuditAnchor(node: self.node, sequence: self.sequence, hash: self.hash).description
    }

    /// The octets that the code covers: every field of the seal.
    private var text: Data {
        let prefix = StoreTransaction.prefix(of: self.node)
        let fields = "\(self.kind.rawValue) \(self.sequence) \(self.moment.seconds) "
        return Data((prefix + fields).utf8) + self.hash
    }

    /// Whether the seal was made with this master key and was not changed since.
    func isAuthentic(_ masterKey: MasterKey) -> Bool {
        masterKey.isValid(self.mark, for: self.text)
    }

    /// Stores the seal with its code, and replaces the seal of the same kind.
    func write(_ masterKey: MasterKey, transaction: StoreTransaction) throws {
        try transaction.execute(
            sql: """
                INSERT INTO auditSeal (node, kind, sequence, hash, moment, mark)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (node, kind) DO UPDATE SET sequence = excluded.sequence,
                hash = excluded.hash, moment = excluded.moment, mark = excluded.mark
                """,
            arguments: [
                self.node, self.kind.rawValue, self.sequence, self.hash,
                self.moment.seconds, masterKey.mark(self.text),
            ]
        )
    }

    /// The stored seal of a kind, not yet authenticated: call ``isAuthentic(_:)``. Nil if there
    /// is none.
    /// - Parameter node: Nil for this node.
    static func fetch(
        _ kind: Kind,
        node: String? = nil,
        transaction: StoreTransaction
    ) throws -> AuditSeal? {
        let node = node ?? transaction.connection.node
        return try transaction.row(
            sql: "SELECT * FROM auditSeal WHERE node = ? AND kind = ?",
            arguments: [node, kind.rawValue]
        ).map { row in
            var seal = AuditSeal(
                kind,
                node: node,
                sequence: row["sequence"],
                hash: row["hash"],
                at: Moment(seconds: row["moment"])
            )
            seal.mark = row["mark"]
            return seal
        }
    }
}
