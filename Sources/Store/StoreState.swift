import Access
import Foundation

/// The last record of an audit log. Its hash covers the hash of the record before it, so a log
/// that contains this record contains everything recorded up to it.
struct AuditEnd: Equatable, Sendable {
    /// The record's number; 0 for a log without records.
    let sequence: Int64
    /// The record's hash, 32 octets.
    let hash: Data
}

/// The state of a store when it was read, with which a later state is compared.
struct StoreState: Equatable, Sendable {
    /// The revision.
    let revision: Int64
    /// The end of the audit log of this node.
    let end: AuditEnd
    /// The random number of the revision; nil for one that an earlier version made.
    let token: Data?

    /// Reads the state of a database.
    init(_ database: StoreTransaction) throws {
        self.revision = try database.revision()
        self.token = try database.token(of: self.revision)
        let (sequence, hash) = try database.auditEnd()
        self.end = AuditEnd(sequence: sequence, hash: hash)
    }

    /// Whether a database has everything that was there in this state.
    /// - Parameter mayHaveForgotten: Whether retention may have deleted the last record since.
    ///   Only the same file may: in another file nothing would prove that the record ever was
    ///   there.
    func isContained(
        in database: StoreTransaction,
        masterKey: MasterKey,
        mayHaveForgotten: Bool
    ) throws -> Bool {
        guard try database.revision() >= self.revision else { return false }
        if let token, try database.token(of: self.revision) != token { return false }
        guard self.end.sequence > 0 else { return true }
        let stored = try database.value(
            of: Data.self,
            sql: "SELECT hash FROM audit WHERE node = ? AND sequence = ?",
            arguments: [database.connection.node, self.end.sequence]
        )
        if let stored { return stored == self.end.hash }
        guard let start = try AuditSeal.fetch(.start, transaction: database),
            start.isAuthentic(masterKey)
        else { return false }
        if start.sequence == self.end.sequence { return start.hash == self.end.hash }
        return mayHaveForgotten && start.sequence > self.end.sequence
    }
}

/// A file and its state, which an administrator can confirm or has confirmed.
struct AcceptedStore: Equatable, Sendable {
    /// The file's identity.
    let file: FileIdentity
    /// The state that was shown to the administrator.
    let state: StoreState

    /// The form in which commands see it.
    var waiting: WaitingStore { WaitingStore(file: self.file, revision: self.state.revision) }
}

/// The check that a database continues the state in force: a gateway never goes back to an older
/// state of the store by itself, because that would give back rights that were withdrawn since.
struct ContinuityCheck {
    /// How a database continues the state in force.
    enum Outcome {
        /// It contains the state in force.
        case complete
        /// It lacks a part of that state, and an administrator confirmed it.
        case accepted
        /// It lacks a part of that state: the database that an administrator can confirm, and
        /// why it is refused.
        case lacking(AcceptedStore, StoreRefusal)
    }

    /// The state in force; nil before the first read.
    var known: StoreState?
    /// The identity of the database.
    var file: FileIdentity
    /// Whether it is the database in force.
    var isSameFile: Bool
    /// The key with which it must have been sealed.
    var masterKey: MasterKey
    /// The database that an administrator confirmed. A confirmation stays valid when the database
    /// is written to.
    var accepted: AcceptedStore?

    /// Compares the database that a transaction reads with the state in force.
    func outcome(_ database: StoreTransaction) throws -> Outcome {
        guard let known else { return .complete }
        let isComplete = try known.isContained(
            in: database,
            masterKey: self.masterKey,
            mayHaveForgotten: self.isSameFile
        )
        if isComplete { return .complete }
        let state = try StoreState(database)
        if let accepted, accepted.file == self.file,
            try accepted.state.isContained(
                in: database,
                masterKey: self.masterKey,
                mayHaveForgotten: false
            )
        {
            return .accepted
        }
        let candidate = AcceptedStore(file: self.file, state: state)
        let lack =
            state.revision < known.revision
            ? "its revision \(state.revision) is older than \(known.revision), which is in force"
            : "it lacks the last audit record in force, number \(known.end.sequence)"
        let refusal = StoreRefusal(
            "\(lack): rights that were withdrawn since then would be granted again; gatepost store accept",
            waiting: candidate.waiting
        )
        return .lacking(candidate, refusal)
    }
}

/// The revision and its random number.
extension StoreTransaction {
    /// The revision; 0 if its row is missing.
    func revision() throws -> Int64 {
        try self.value(of: Int64.self, sql: "SELECT value FROM revision") ?? 0
    }

    /// The random number of a revision; nil for one that an earlier version made.
    func token(of revision: Int64) throws -> Data? {
        try self.value(
            of: Data.self,
            sql: "SELECT token FROM revisionToken WHERE revision = ?",
            arguments: [revision]
        )
    }
}
