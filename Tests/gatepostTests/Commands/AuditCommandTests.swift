import Access
import Foundation
import Gateway
import Support
import Testing

@testable import Store
@testable import gatepost

/// What the audit commands print for one node and for several, and the log of a node without a
/// gateway.
@Suite struct AuditCommandTests {
    private static func entry(_ node: String, _ sequence: Int64) -> AuditEntry {
        AuditEntry(
            node: node,
            sequence: sequence,
            moment: Moment(seconds: 0),
            record: AuditRecord(event: "select", actor: "anna@kanzlei.example")
        )
    }

    /// Appends a record to the chain of a node, in a file.
    private static func append(_ node: String, to store: PermissionStore) throws {
        try store.write(locking: .auditLog(of: node)) { transaction in
            let (last, previous) = try transaction.auditEnd(of: node)
            let text = #"{"actor":"x","event":"select","outcome":"allowed"}"#
            let hash = StoreTransaction.hash(
                after: previous,
                node: node,
                sequence: last + 1,
                moment: 7,
                text: text
            )
            try transaction.execute(
                sql:
                    "INSERT INTO audit (node, sequence, moment, record, hash) VALUES (?, ?, 7, ?, ?)",
                arguments: [node, last + 1, text, hash]
            )
        }
    }

    private static func verified(_ bench: CommandBench) async throws -> AuditVerification {
        let file = bench.file
        let path = try await GatewayConfiguration(file: file, readsEnvironment: false).masterKey
        return try bench.store().verifyAudit(MasterKey(file: path))
    }

    @Test func `a table shows the nodes once there are several`() {
        var output = AuditOutput(isJSON: false, isEndless: true)
        let first = output.lines([Self.entry("", 1)], width: nil)
        #expect(first.count == 2 && first.first?.hasPrefix("#  WHEN") == true)
        #expect(output.lines([Self.entry("", 2)], width: nil).first?.hasPrefix("2  1970") == true)
        output.showsNodes = true
        let second = output.lines([Self.entry("two", 1), Self.entry("", 3)], width: nil)
        #expect(second.count == 3 && second.first?.hasPrefix("NODE  #  WHEN") == true)
        #expect(second.last?.hasPrefix("      3  1970") == true)
        output.showsNodes = true
        #expect(output.lines([Self.entry("two", 2)], width: nil).count == 1)
    }

    @Test func `a JSON record has a key for its node only if there are several`() throws {
        let record = AuditRecord(event: "select", actor: "anna@kanzlei.example")
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for (node, key) in [(nil, ""), ("two", #""node":"two","#)] as [(String?, String)] {
            let row = AuditCommand.List.Row(node: node, sequence: 3, when: 7, record: record)
            #expect(
                String(decoding: try encoder.encode(row), as: UTF8.self)
                    == #"{"actor":"anna@kanzlei.example","event":"select",\#(key)"#
                    + #""outcome":"allowed","sequence":3,"when":7}"#
            )
        }
    }

    @Test func `verify prints one log as before, and several by node`() async throws {
        let bench = try await CommandBench.furnished()
        let one = try await Self.verified(bench)
        let lines = AuditCommand.Verify.lines(one)
        #expect(
            lines.count == 2 && lines[0] == "\(one.count) records (1 to \(one.count)), all intact"
        )
        #expect(lines[1].hasPrefix("sealed up to 0, "))
        let document = try Output.document(AuditCommand.Verify.Row(one))
        #expect(!document.contains("node") && document.contains(#""sealed" : 0"#))

        try Self.append("two", to: bench.store())
        let unsealed = await bench.refusal(of: "audit verify")
        #expect(unsealed == "the audit log is not intact: restore a backup and compare")
        try await bench.run("audit seal --node two --yes")
        try await bench.run("audit verify")
        let several = try await Self.verified(bench)
        #expect(several.problems == [])
        let named = AuditCommand.Verify.lines(several)
        #expect(named.count == 4 && named[2] == "node two: 1 records (1 to 1), all intact")
        #expect(named[0].hasPrefix("without a node: "))
        #expect(named[3].hasPrefix("node two: sealed up to 1, "))
        let both = try Output.document(AuditCommand.Verify.Row(several))
        #expect(both.contains(#""node" : "two""#) && both.contains(#""nodes" : ["#))
        #expect(both.contains(#""records" : \#(several.count)"#))
    }

    @Test func `the log of another node is sealed and deleted by name, and that is recorded`()
        async throws
    {
        let bench = try await CommandBench.furnished()
        for _ in 1...3 { try Self.append("two", to: bench.store()) }
        let unknown = await bench.refusal(of: "audit seal --node three --yes")
        #expect(unknown.contains("no node three has an audit log"))
        try await bench.run("audit seal --node two --yes")
        let kept = await bench.refusal(of: "audit delete --node two --yes")
        #expect(kept == "auditDays in gatepost.yaml keeps all records: set a number of days")
        let file = URL(fileURLWithPath: bench.file)
        let text = try String(contentsOf: file, encoding: .utf8)
        try text.replacing("auditDays: 0", with: "auditDays: 30")
            .write(to: file, atomically: true, encoding: .utf8)
        try await bench.run("audit delete --node two --yes")
        let found = try await Self.verified(bench)
        #expect(found.problems == [])
        #expect(found.chains.last?.node == "two" && found.chains.last?.count == 0)
        let details = try bench.store().auditEntries().suffix(2).compactMap(\.record.detail?.first)
        #expect(
            details == [
                "audit seal --node two: the log was accepted in its current state",
                "records of node two up to 3 were deleted",
            ]
        )
    }
}
