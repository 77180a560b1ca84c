package import Access
import Foundation

/// What is found when the audit log is gone through.
package struct AuditVerification: Equatable, Sendable {
    package var count = 0
    package var first: Int64?
    package var last: Int64?
    /// The last seal, if there is one that is authentic.
    package var sealed: Int64?
    package var sealedAt: Moment?
    /// What is wrong, in words; empty for a log that is whole.
    package var problems: [String] = []
    /// Problems that are not listed any more.
    package var further = 0

    private static let maximumProblems = 20

    mutating func found(_ problem: String) {
        if self.problems.count < Self.maximumProblems {
            self.problems.append(problem)
        } else {
            self.further += 1
        }
    }
}

extension PermissionStore {
    /// Goes through the whole log: each record's hash and number, and the seals.
    ///
    /// - Parameter anchor: `SEQUENCE:HASH` of a seal that was kept elsewhere.
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
                    "there is no seal: it was taken away, or no gateway has run with this log yet"
                )
            }
            var expected: [Int64: Data] = [:]
            if let checkpoint { expected[checkpoint.sequence] = checkpoint.hash }
            if let anchor {
                guard let (sequence, hash) = StoreTransaction.parse(anchor) else {
                    throw StoreError.refused("\(anchor): SEQUENCE:HASH, as the gateway logs it")
                }
                if sequence < start?.sequence ?? 0 {
                    verification.found(
                        "the records up to the seal at \(sequence) were deleted by retention"
                    )
                }
                if let known = expected[sequence], known != hash {
                    verification.found("the seal at \(sequence) is not the one that was kept")
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

/// The same within a transaction.
extension StoreTransaction {
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

    func walk(
        _ start: AuditSeal?,
        expected: [Int64: Data],
        verification: inout AuditVerification
    ) throws {
        var sequence = start?.sequence ?? 0
        var hash = start?.hash ?? Self.firstHash
        for (sealed, value) in expected where sealed == sequence && value != hash {
            verification.found("the records up to \(sealed) are not those that were sealed")
        }
        let rows = try self.cursor(sql: "SELECT * FROM audit ORDER BY sequence")
        while let row = try rows.next() {
            let number: Int64 = row["sequence"]
            let stored: Data = row["hash"]
            verification.count += 1
            verification.first = verification.first ?? number
            verification.last = number
            if number == sequence + 1 {
                let moment: Int64 = row["moment"]
                if Self.hash(after: hash, number, moment: moment, text: row["record"]) != stored {
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
