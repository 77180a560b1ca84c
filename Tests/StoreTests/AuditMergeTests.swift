import Access
import Foundation
import Support
import Testing

@testable import Store

/// Reading of the audit logs of several nodes in one order.
@Suite struct AuditMergeTests {
    private static func events(
        _ nodes: AuditNodes,
        _ filter: AuditFilter = AuditFilter(),
        limit: Int? = nil,
        after: AuditPosition? = nil
    ) throws -> [String] {
        var events: [String] = []
        try nodes.store.readAudit(filter, limit: limit, after: after) { entries in
            #expect(!entries.isEmpty && entries.count <= 1_000)
            events += entries.map(\.record.event)
        }
        return events
    }

    @Test func `records are merged by moment, node and number`() throws {
        let nodes = try AuditNodes()
        try nodes.audit("b", at: 1, 4, 4, 9)
        try nodes.audit("a", at: 2, 4, 4)
        try nodes.audit("c", at: 4, 5, 10)
        let merged = [
            "b 1", "a 2", "a 4", "a 4", "b 4", "b 4", "c 4", "c 5", "b 9", "c 10",
        ]
        #expect(try Self.events(nodes) == merged)
        for limit in 1...12 {
            #expect(try Self.events(nodes, limit: limit) == merged.suffix(limit), "\(limit)")
        }
        let filter = AuditFilter(since: Moment(seconds: 4), until: Moment(seconds: 9))
        #expect(try Self.events(nodes, filter) == Array(merged[2...7]))
        #expect(try Self.events(nodes, filter, limit: 3) == Array(merged[5...7]))
        #expect(try Self.events(nodes, AuditFilter(until: Moment(seconds: 2))) == ["b 1"])
        #expect(try Self.events(nodes, AuditFilter(since: Moment(seconds: 10))) == ["c 10"])
        #expect(try nodes.store.auditEntries().map(\.node).prefix(3) == ["b", "a", "a"])
    }

    /// A clock that is slow, and one that was set back: each chain keeps its order.
    @Test func `nodes whose clocks differ keep the order of their records`() throws {
        let nodes = try AuditNodes()
        try nodes.audit("a", at: 100, 101, 102)
        try nodes.audit("b", at: 40, 41, 42)
        #expect(try Self.events(nodes) == ["b 40", "b 41", "b 42", "a 100", "a 101", "a 102"])
        try nodes.audit("b", at: 101, 7, 8, 103)
        #expect(
            try Self.events(nodes) == [
                "b 40", "b 41", "b 42", "a 100", "a 101", "b 101", "b 7", "b 8", "a 102", "b 103",
            ]
        )
        let user = AuditFilter(user: "anna@kanzlei.example", since: Moment(seconds: 102))
        #expect(try Self.events(nodes, user) == ["a 102", "b 103"])
    }

    /// More records than one batch, in chains of different lengths.
    @Test func `a long log has each record once, in order`() throws {
        let nodes = try AuditNodes()
        var random = SystemRandomNumberGenerator()
        var all: [(Int64, String, Int64)] = []
        for node in (0..<12).map({ "node \($0)" }) {
            var moment: Int64 = 0
            let items = (1...Int.random(in: 1...900, using: &random)).map { number in
                moment += Int64.random(in: 0...3, using: &random)
                all.append((moment, node, Int64(number)))
                var record = AuditRecord(
                    event: "\(node) #\(number)",
                    actor: "u\(number % 3)@x.example"
                )
                record.account = "a\(number % 5)@x.example"
                return (moment: Moment(seconds: moment), record: record)
            }
            try nodes.audit(node, items)
        }
        all.sort { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }
        func texts(_ matching: (Int64) -> Bool) -> [String] {
            all.filter { matching($0.2) }.map { "\($0.1) #\($0.2)" }
        }
        #expect(try Self.events(nodes) == texts { _ in true })
        let account = AuditFilter(account: "a2@x.example")
        let some = texts { $0 % 5 == 2 }
        #expect(try Self.events(nodes, account) == some)
        for limit in [1, 10, 300, 5_000] {
            #expect(try Self.events(nodes, account, limit: limit) == some.suffix(limit))
        }
        let both = AuditFilter(account: "a2@x.example", user: "u1@x.example")
        #expect(try Self.events(nodes, both) == texts { $0 % 5 == 2 && $0 % 3 == 1 })
    }

    @Test func `a reader that continues has a position for each node`() throws {
        let nodes = try AuditNodes()
        try nodes.audit("a", at: 5, 6)
        var found: [String] = []
        var position = try nodes.store.readAudit { found += $0.map(\.record.event) }
        // A record of the past, of a node that the reader does not know.
        try nodes.audit("b", at: 1)
        try nodes.audit("a", at: 7)
        position = try nodes.store.readAudit(after: position) { found += $0.map(\.record.event) }
        #expect(found == ["a 5", "a 6", "b 1", "a 7"])
        #expect(position["a"] == 3 && position["b"] == 1 && position["c"] == 0)
        try nodes.audit("b", at: 2)
        let since = AuditFilter(since: Moment(seconds: 2))
        position = try nodes.store.readAudit(since, after: position) {
            found += $0.map(\.record.event)
        }
        #expect(found.last == "b 2" && found.count == 5 && position["b"] == 2)
        let next = try nodes.store.readAudit(after: position) { _ in Issue.record("a record") }
        #expect(next == position)
    }

    @Test func `the last use of an account is the latest of all nodes`() throws {
        let nodes = try AuditNodes()
        func use(_ node: String, _ second: Int64) throws {
            var record = AuditRecord(event: "select", actor: "anna@kanzlei.example")
            record.account = "bob@kanzlei.example"
            try nodes.audit(node, [(Moment(seconds: second), record)])
        }
        try use("a", 5)
        try use("b", 9)
        try use("c", 7)
        let uses = try nodes.store.lastUses()
        #expect(uses == ["bob@kanzlei.example": ["anna@kanzlei.example": Moment(seconds: 9)]])
    }
}
