package import Access
import Foundation

/// The result of a verification of the whole audit log.
package struct AuditVerification: Equatable, Sendable {
    /// The number of records that were read.
    package var count = 0
    /// The number of the first record; nil for an empty log.
    package var first: Int64?
    /// The number of the last record; nil for an empty log.
    package var last: Int64?
    /// The record number of the last checkpoint seal; nil without an authentic one.
    package var sealed: Int64?
    /// When that seal was made.
    package var sealedAt: Moment?
    /// The first problems in words; empty for an intact log.
    package var problems: [String] = []
    /// The number of problems beyond those listed.
    package var further = 0

    /// Problems that are listed. A log that was rewritten has one for each record, which would
    /// fill an administrator's terminal and this process's memory.
    private static let maximumProblems = 20

    /// Lists a problem, or counts it once the list is full.
    mutating func found(_ problem: String) {
        if self.problems.count < Self.maximumProblems {
            self.problems.append(problem)
        } else {
            self.further += 1
        }
    }
}

/// Verification of the audit log.
extension PermissionStore {
    /// Verifies the hash and the number of every record, both seals, and an anchor, in one read
    /// transaction.
    /// - Parameter anchor: `SEQUENCE:HASH` of a seal that was kept outside the store.
    /// - Returns: The result; a changed log is a result, not an error.
    /// - Throws: ``StoreError`` of kind `refused` for an anchor that cannot be parsed.
    package func verifyAudit(
        _ masterKey: MasterKey,
        anchor: String? = nil
    ) throws -> AuditVerification {
        try self.read { transaction in
            var verification = AuditVerification()
            let start = try transaction.seal(
                .start,
                masterKey: masterKey,
                verification: &verification
            )
            let checkpoint = try transaction.seal(
                .checkpoint,
                masterKey: masterKey,
                verification: &verification
            )
            if checkpoint == nil {
                verification.found(
                    "there is no seal: it was removed, or no gateway has run with this log yet"
                )
            }
            var expected: [Int64: Data] = [:]
            if let checkpoint { expected[checkpoint.sequence] = checkpoint.hash }
            if let anchor {
                guard let (sequence, hash) = StoreTransaction.parse(anchor) else {
                    throw StoreError.refused(
                        "\(anchor) is not a seal: use SEQUENCE:HASH as the gateway logs it"
                    )
                }
                if sequence < start?.sequence ?? 0 {
                    verification.found(
                        "the records up to the seal at \(sequence) were deleted by retention"
                    )
                }
                if let known = expected[sequence], known != hash {
                    verification.found(
                        "the seal at \(sequence) differs from the seal that was given"
                    )
                }
                expected[sequence] = hash
            }
            try transaction.walk(
                start,
                expected: expected,
                verification: &verification
            )
            verification.sealed = checkpoint?.sequence
            verification.sealedAt = checkpoint?.moment
            return verification
        }
    }
}

/// Verification inside a read transaction.
extension StoreTransaction {
    /// Parses `SEQUENCE:HASH`.
    /// - Returns: Nil unless the hash has 64 hexadecimal digits.
    static func parse(_ anchor: String) -> (Int64, Data)? {
        let parts = anchor.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let sequence = Int64(parts[0]) else { return nil }
        let digits = Array(parts[1].utf8)
        guard digits.count == 64 else { return nil }
        var hash = Data()
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index...index + 1], as: UTF8.self)
            guard let octet = UInt8(pair, radix: 16) else { return nil }
            hash.append(octet)
        }
        return (sequence, hash)
    }

    /// The stored seal of a kind; nil if there is none, or if it is not authentic, which is
    /// recorded as a problem.
    func seal(
        _ kind: AuditSeal.Kind,
        masterKey: MasterKey,
        verification: inout AuditVerification
    ) throws -> AuditSeal? {
        guard let seal = try AuditSeal.fetch(kind, transaction: self) else { return nil }
        if seal.isAuthentic(masterKey) { return seal }
        verification.found(
            "the seal of the log's \(kind == .start ? "start" : "end") was not made with this "
                + "master key, or was changed"
        )
        return nil
    }

    /// Reads every record in order and records each one that is missing, changed, or not the
    /// sealed one.
    /// - Parameters:
    ///   - start: The seal that retention left; nil for a log that starts at record 1.
    ///   - expected: The hashes of sealed records, by record number.
    func walk(
        _ start: AuditSeal?,
        expected: [Int64: Data],
        verification: inout AuditVerification
    ) throws {
        var sequence = start?.sequence ?? 0
        var hash = start?.hash ?? Self.firstHash
        for (sealed, value) in expected where sealed == sequence && value != hash {
            verification.found("the records up to \(sealed) differ from those that were sealed")
        }
        let rows = try self.cursor(
            sql: """
                SELECT sequence, moment, record, hash FROM audit WHERE node = ? ORDER BY sequence
                """,
            arguments: [self.connection.node]
        )
        while let row = try rows.next() {
            let number: Int64 = row["sequence"]
            let stored: Data = row["hash"]
            verification.count += 1
            verification.first = verification.first ?? number
            verification.last = number
            if number == sequence + 1 {
                let moment: Int64 = row["moment"]
                if Self.hash(after: hash, sequence: number, moment: moment, text: row["record"])
                    != stored
                {
                    verification.found("record \(number) was changed")
                }
            } else if number <= sequence {
                verification.found("record \(number) should have been deleted")
            } else if number == sequence + 2 {
                verification.found("record \(sequence + 1) is missing")
            } else {
                verification.found("records \(sequence + 1) to \(number - 1) are missing")
            }
            if let value = expected[number], value != stored {
                verification.found("record \(number) is not the one that was sealed")
            }
            (sequence, hash) = (number, stored)
        }
        for sealed in expected.keys.sorted() where sealed > sequence {
            verification.found("the log ends at \(sequence), and was sealed at \(sealed)")
        }
    }
}
