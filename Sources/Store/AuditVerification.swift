package import Access
import Foundation

/// The result of a verification of the audit log.
package struct AuditVerification: Equatable, Sendable {
    /// The result for the chain of one node.
    package struct Chain: Equatable, Sendable {
        /// The node; empty for the only chain of a file.
        package let node: String
        /// The node in words.
        package var name: String { self.node.isEmpty ? "without a node" : "node \(self.node)" }
        /// The number of records that were read.
        package internal(set) var count = 0
        /// The number of the first record; nil for an empty chain.
        package internal(set) var first: Int64?
        /// The number of the last record; nil for an empty chain.
        package internal(set) var last: Int64?
        /// The record number of the last checkpoint seal; nil without an authentic one.
        package internal(set) var sealed: Int64?
        /// When that seal was made.
        package internal(set) var sealedAt: Moment?
        /// The first problems in words; empty for an intact chain.
        package private(set) var problems: [String] = []
        /// The number of problems beyond those listed.
        package private(set) var further = 0

        /// Problems that are listed. A chain that was rewritten has one for each record, which would
        /// fill an administrator's terminal and this process's memory.
        private static let maximumProblems = 20

        /// A chain of which nothing was read yet.
        init(node: String) {
            self.node = node
        }

        /// Lists a problem, or counts it once the list is full.
        mutating func found(_ problem: String) {
            if self.problems.count < Self.maximumProblems {
                self.problems.append(problem)
            } else {
                self.further += 1
            }
        }
    }

    /// The chains, in the order of the octets of the nodes' names; at least one.
    package let chains: [Chain]

    /// The number of records that were read.
    package var count: Int { self.chains.reduce(0) { $0 + $1.count } }
    /// The only chain; nil if there are several.
    package var only: Chain? { self.chains.count == 1 ? self.chains.first : nil }
    /// The first problems of each chain in words, with the node's name if there are several chains;
    /// empty for an intact log.
    package var problems: [String] {
        self.chains.flatMap { chain in
            chain.problems.map { self.chains.count == 1 ? $0 : "\(chain.name): \($0)" }
        }
    }
    /// The number of problems beyond those listed.
    package var further: Int { self.chains.reduce(0) { $0 + $1.further } }
}

/// Verification of the audit log.
extension PermissionStore {
    /// Verifies the hash and the number of every record, the seals, and anchors, of all nodes that
    /// have records, seals or an anchor. It is one read transaction.
    /// - Parameter anchors: Seals that were kept outside the store, as ``AuditSeal/anchor``.
    /// - Returns: The result; a changed log is a result, not an error.
    /// - Throws: ``StoreError`` of kind `refused` for an anchor that cannot be parsed.
    package func verifyAudit(
        _ masterKey: MasterKey,
        anchors: [String] = [],
        progress: StoreProgress = .none
    ) throws -> AuditVerification {
        let anchors = try anchors.map { text in
            guard let anchor = AuditAnchor(text) else {
                throw StoreError.refused(
                    "\(text) is not a seal: use SEQUENCE:HASH or NODE:SEQUENCE:HASH as the gateway "
                        + "logs it"
                )
            }
            return anchor
        }
        return try self.read { transaction in
            var nodes = try Set(
                (transaction.auditNodes() + anchors.map(\.node)).map(ExactText.init)
            )
            // A store without any chain has lost that of this node, or has no gateway yet.
            if nodes.isEmpty { nodes = [ExactText(transaction.connection.node)] }
            return AuditVerification(
                chains: try nodes.sorted().map { node in
                    try transaction.verifyChain(
                        of: node.text,
                        masterKey: masterKey,
                        anchors: anchors.filter { ExactText($0.node) == node },
                        progress: progress
                    )
                }
            )
        }
    }

    /// Verifies the chain of this node.
    /// - Returns: The result, with one chain.
    package func verifyOwnAudit(_ masterKey: MasterKey) throws -> AuditVerification {
        try self.read { transaction in
            let node = transaction.connection.node
            let chain = try transaction.verifyChain(of: node, masterKey: masterKey, anchors: [])
            return AuditVerification(chains: [chain])
        }
    }
}

/// Verification inside a read transaction.
extension StoreTransaction {
    /// Verifies the chain of a node.
    fileprivate func verifyChain(
        of node: String,
        masterKey: MasterKey,
        anchors: [AuditAnchor],
        progress: StoreProgress = .none
    ) throws -> AuditVerification.Chain {
        var chain = AuditVerification.Chain(node: node)
        let start = try self.seal(.start, masterKey: masterKey, chain: &chain)
        let checkpoint = try self.seal(.checkpoint, masterKey: masterKey, chain: &chain)
        if checkpoint == nil {
            chain.found("there is no seal: it was removed, or no gateway has run with this log yet")
        }
        var expected: [Int64: Data] = [:]
        if let checkpoint { expected[checkpoint.sequence] = checkpoint.hash }
        for anchor in anchors {
            let sequence = anchor.sequence
            if sequence < start?.sequence ?? 0 {
                chain.found("the records up to the seal at \(sequence) were deleted by retention")
            }
            if let known = expected[sequence], known != anchor.hash {
                chain.found("the seal at \(sequence) differs from the seal that was given")
            }
            expected[sequence] = anchor.hash
        }
        try self.walk(start, expected: expected, chain: &chain, progress: progress)
        chain.sealed = checkpoint?.sequence
        chain.sealedAt = checkpoint?.moment
        return chain
    }

    /// The stored seal of a kind; nil if there is none, or if it is not authentic, which is
    /// recorded as a problem.
    private func seal(
        _ kind: AuditSeal.Kind,
        masterKey: MasterKey,
        chain: inout AuditVerification.Chain
    ) throws -> AuditSeal? {
        guard let seal = try AuditSeal.fetch(kind, node: chain.node, transaction: self) else {
            return nil
        }
        if seal.isAuthentic(masterKey) { return seal }
        chain.found(
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
    private func walk(
        _ start: AuditSeal?,
        expected: [Int64: Data],
        chain: inout AuditVerification.Chain,
        progress: StoreProgress
    ) throws {
        let end = try self.auditEnd(of: chain.node).sequence
        let total = Int(max(end, 0) - max(start?.sequence ?? 0, 0))
        var sequence = start?.sequence ?? 0
        var hash = start?.hash ?? Self.firstHash
        for (sealed, value) in expected where sealed == sequence && value != hash {
            chain.found("the records up to \(sealed) differ from those that were sealed")
        }
        let rows = try self.cursor(
            sql: """
                SELECT sequence, moment, record, hash FROM audit WHERE node = ? ORDER BY sequence
                """,
            arguments: [chain.node]
        )
        while let row = try rows.next() {
            let number: Int64 = row["sequence"]
            let stored: Data = row["hash"]
            chain.count += 1
            progress.advance("verifying the audit log", done: chain.count, of: total)
            chain.first = chain.first ?? number
            chain.last = number
            if number == sequence + 1 {
                let next = Self.hash(
                    after: hash,
                    node: chain.node,
                    sequence: number,
                    moment: row["moment"],
                    text: row["record"]
                )
                if next != stored { chain.found("record \(number) was changed") }
            } else {
                chain.found(Self.gap(before: number, after: sequence))
            }
            if let value = expected[number], value != stored {
                chain.found("record \(number) is not the one that was sealed")
            }
            (sequence, hash) = (number, stored)
        }
        for sealed in expected.keys.sorted() where sealed > sequence {
            chain.found("the log ends at \(sequence), and was sealed at \(sealed)")
        }
    }

    /// What is wrong with a number that does not follow from the one before.
    private static func gap(before number: Int64, after sequence: Int64) -> String {
        if number <= sequence { return "record \(number) should have been deleted" }
        if number == sequence + 2 { return "record \(sequence + 1) is missing" }
        return "records \(sequence + 1) to \(number - 1) are missing"
    }
}
