import Access
import Foundation
import Support
import Testing

@testable import Store

/// Verification, sealing and retention of the audit logs of several nodes.
@Suite struct AuditNodesTests {
    /// Three nodes with five sealed records each.
    private static func sealed() throws -> (AuditNodes, anchors: [String: String]) {
        let nodes = try AuditNodes()
        var anchors: [String: String] = [:]
        for node in [AuditNodes.own, "two", "three"] {
            try nodes.audit(node, at: 1, 2, 3, 4, 5)
            anchors[node] = try #require(try nodes.seal(node)).anchor
        }
        return (nodes, anchors)
    }

    @Test func `the chains of all nodes verify, each with its numbers`() throws {
        let (nodes, anchors) = try Self.sealed()
        try nodes.audit("two", at: 6)
        let found = try nodes.store.verifyAudit(nodes.masterKey, anchors: Array(anchors.values))
        #expect(found.problems == [] && found.further == 0 && found.count == 16)
        #expect(found.only == nil)
        #expect(found.chains.map(\.node) == [AuditNodes.own, "two", "three"].sorted())
        #expect(found.chains.allSatisfy { $0.first == 1 && $0.sealed == 5 })
        #expect(found.chains.map(\.last) == found.chains.map { $0.node == "two" ? 6 : 5 })
        #expect(anchors["two"]?.hasPrefix("two:5:") == true)
        // The verification of a node by itself.
        let own = try nodes.store.verifyOwnAudit(nodes.masterKey)
        #expect(own.problems == [] && own.only?.node == AuditNodes.own && own.count == 5)
    }

    /// A change behind the store, the nodes that have problems then, and one of the problems.
    static let cheats: [(String, [String], String)] = [
        (
            "UPDATE audit SET node = 'three', sequence = 6 WHERE node = 'two' AND sequence = 5",
            ["two", "three"], "node three: record 6 was changed"
        ),
        (
            "UPDATE audit SET node = 'three', sequence = 6 WHERE node = 'two' AND sequence = 3",
            ["two", "three"], "node two: record 3 is missing"
        ),
        (
            "UPDATE audit SET node = 'four' WHERE node = 'two'; "
                + "UPDATE auditSeal SET node = 'four' WHERE node = 'two'",
            ["four"], "node four: record 1 was changed"
        ),
        (
            "UPDATE auditSeal SET node = 'four' WHERE node = 'two'",
            ["two", "four"], "node two: there is no seal"
        ),
        (
            "UPDATE audit SET node = 'x' WHERE node = 'two'; "
                + "UPDATE audit SET node = 'two' WHERE node = 'three'; "
                + "UPDATE audit SET node = 'three' WHERE node = 'x'",
            ["two", "three"], "node two: record 5 is not the one that was sealed"
        ),
        (
            "DELETE FROM auditSeal WHERE node = 'three'; INSERT INTO auditSeal "
                + "SELECT 'three', kind, sequence, hash, moment, mark FROM auditSeal WHERE node = 'two'",
            ["three"], "node three: the seal of the log's end was not made with this master key"
        ),
        (
            "DELETE FROM audit WHERE node = 'three'; DELETE FROM auditSeal WHERE node = 'three'; "
                + "INSERT INTO audit (node, sequence, moment, record, hash) SELECT 'three', sequence, moment, record, hash FROM audit WHERE node = 'two'; "
                + "INSERT INTO auditSeal SELECT 'three', kind, sequence, hash, moment, mark FROM auditSeal WHERE node = 'two'",
            ["three"], "node three: record 1 was changed"
        ),
        (
            "DELETE FROM audit WHERE node = 'two' AND sequence > 3",
            ["two"], "node two: the log ends at 3, and was sealed at 5"
        ),
        (
            "DELETE FROM audit WHERE node = 'two'",
            ["two"], "node two: the log ends at 0, and was sealed at 5"
        ),
        ("DELETE FROM auditSeal WHERE node = 'two'", ["two"], "node two: there is no seal"),
        (
            "UPDATE audit SET moment = 9 WHERE node = 'three' AND sequence = 2",
            ["three"], "node three: record 2 was changed"
        ),
    ]

    @Test(arguments: cheats)
    func `verification detects records and seals of another node`(
        sql: String,
        names: [String],
        problem: String
    ) throws {
        let (nodes, _) = try Self.sealed()
        try nodes.tamper(sql)
        let found = try nodes.problems()
        #expect(found.contains { $0.hasPrefix(problem) }, "\(found)")
        for name in names { #expect(found.contains { $0.hasPrefix("node \(name): ") }, "\(found)") }
        #expect(found.allSatisfy { text in names.contains { text.hasPrefix("node \($0): ") } })
        #expect(try nodes.store.verifyOwnAudit(nodes.masterKey).problems == [])
    }

    /// A chain of a file that is made the chain of a node, and the other way round.
    @Test(arguments: [("", "two"), ("two", "")])
    func `a chain without a node is not valid for a node`(from: String, to: String) throws {
        let nodes = try AuditNodes()
        let connection = try nodes.store.read { $0.connection.node }
        guard from.isEmpty == connection.isEmpty else {
            // This engine writes no chain without a node; its octets are those of a file.
            return #expect(StoreTransaction.prefix(of: "") == "")
        }
        try nodes.audit(connection, at: 1, 2)
        try nodes.seal(connection)
        try nodes.tamper("UPDATE audit SET node = '\(to)'; UPDATE auditSeal SET node = '\(to)'")
        let found = try nodes.problems()
        #expect(found.contains("record 1 was changed"), "\(found)")
        #expect(found.contains { $0.contains("was not made with this master key") }, "\(found)")
    }

    @Test func `names that differ in spelling or in spaces have different hashes`() {
        func hash(_ node: String, _ sequence: Int64, _ text: String) -> Data {
            StoreTransaction.hash(
                after: StoreTransaction.firstHash,
                node: node,
                sequence: sequence,
                moment: 7,
                text: text
            )
        }
        let hashes = [
            hash("", 1, "{}"), hash("a", 1, "{}"), hash("a 1", 7, "{}"), hash("a 1 7", 7, "{}"),
            hash("\u{e9}", 1, "{}"), hash("e\u{301}", 1, "{}"), hash("A", 1, "{}"),
        ]
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func `a chain that was removed with its seals is detected by an anchor`() throws {
        let (nodes, anchors) = try Self.sealed()
        try nodes.tamper(
            "DELETE FROM audit WHERE node = 'two'; DELETE FROM auditSeal WHERE node = 'two'"
        )
        #expect(try nodes.problems() == [])
        let anchor = try #require(anchors["two"])
        #expect(
            try nodes.problems(anchor).contains(
                "node two: the log ends at 0, and was sealed at 5"
            )
        )
        // The anchor of a node says nothing about another one.
        let other = anchor.replacing("two:", with: "three:")
        #expect(
            try nodes.problems(other).contains(
                "node three: the seal at 5 differs from the seal that was given"
            )
        )
    }

    @Test func `the only chain is that of this node, also after it was removed`() throws {
        let nodes = try AuditNodes()
        #expect(try nodes.store.verifyAudit(nodes.masterKey).chains.map(\.node) == [AuditNodes.own])
        #expect(try nodes.problems().first?.hasPrefix("there is no seal") == true)
    }

    @Test func `a node seals and deletes only its own records`() throws {
        let (nodes, _) = try Self.sealed()
        try nodes.tamper("UPDATE audit SET moment = 9 WHERE node = 'two' AND sequence = 2")
        try nodes.audit(AuditNodes.own, at: 6)
        #expect(try nodes.store.sealAudit(nodes.masterKey)?.sequence == 6)
        let before = Moment(seconds: 3)
        #expect(try nodes.store.deleteAudit(before: before, masterKey: nodes.masterKey) == 2)
        let chains = try nodes.store.verifyAudit(nodes.masterKey).chains
        #expect(chains.map(\.first) == chains.map { $0.node == AuditNodes.own ? 3 : 1 })
        #expect(chains.filter { !$0.problems.isEmpty }.map(\.node) == ["two"])
    }

    @Test func `the chain of a node that does not return can be sealed and deleted`() throws {
        let (nodes, _) = try Self.sealed()
        let unknown = Office.refusal { try nodes.seal("four") }
        #expect(unknown == "no node four has an audit log: gatepost audit verify")
        try nodes.audit("two", at: 6, 7)
        #expect(try nodes.seal("two", begins: false)?.anchor.hasPrefix("two:7:") == true)
        func delete(_ node: String, _ second: Int64) throws -> Int {
            try nodes.store.deleteAudit(
                before: Moment(seconds: second),
                masterKey: nodes.masterKey,
                node: node,
                actor: "kim"
            )
        }
        #expect(throws: StoreError.self) { try delete("four", 9) }
        #expect(try delete("two", 3) == 2)
        #expect(try nodes.problems() == [])
        let record = try #require(try nodes.store.auditEntries().last)
        #expect(record.node == AuditNodes.own && record.sequence == 6)
        #expect(record.record.actor == "kim" && record.record.count == 2)
        #expect(record.record.detail == ["records of node two up to 2 were deleted"])
        // Without records, the seals still show where the chain ended.
        #expect(try delete("two", 100) == 5)
        #expect(try nodes.problems() == [])
        #expect(try nodes.store.auditNodes() == [AuditNodes.own, "two", "three"].sorted())
        try nodes.tamper("DELETE FROM auditSeal WHERE node = 'three' AND kind = 'checkpoint'")
        #expect(throws: StoreError.self) { try delete("three", 3) }
    }

    @Test func `a node that joins begins its chain, but not one with records or seals`() throws {
        let nodes = try AuditNodes()
        guard PostgreSQLCluster.isChosen else {
            // A file has its first seal from the installation.
            return #expect(try nodes.store.beginAudit(nodes.masterKey) == nil)
        }
        #expect(try nodes.store.beginAudit(nodes.masterKey)?.sequence == 1)
        #expect(try nodes.store.beginAudit(nodes.masterKey) == nil)
        #expect(
            try nodes.store(of: "two").beginAudit(nodes.masterKey)?.anchor.hasPrefix("two:1:")
                == true
        )
        #expect(try nodes.problems() == [])
        #expect(
            try nodes.store.auditEntries().map(\.record.event) == ["audit begin", "audit begin"]
        )
        for (node, sql) in [
            ("three", "DELETE FROM auditSeal WHERE node = 'three'"),
            ("two", "DELETE FROM audit WHERE node = 'two'"),
        ] {
            try nodes.audit(node, at: 1)
            try nodes.tamper(sql)
            let store = try nodes.store(of: node)
            #expect(try store.beginAudit(nodes.masterKey) == nil)
            #expect(throws: StoreError.self) { try store.sealAudit(nodes.masterKey) }
        }
    }
}
