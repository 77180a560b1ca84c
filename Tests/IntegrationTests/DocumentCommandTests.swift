import Foundation
import Testing

/// Output and input of commands that read or write documents and files.
@Suite(.serialized) @MainActor struct DocumentCommandTests {
    private typealias Bench = CommandLineTests.Bench

    private static let anna = "anna@kanzlei.example"
    private static let bob = "bob@kanzlei.example"

    private func value(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func `explain and export write the whole account alike, and apply accepts null`()
        throws
    {
        let bench = try Bench()
        try bench.furnish()
        try bench.ok(line: "grant add \(Self.bob) \(Self.anna) --view")
        let explained = try self.value(
            bench.ok(line: "explain \(Self.anna) \(Self.bob) --json")
        )
        let because = explained["because"] as? [[String: Any]]
        #expect(because?.first?["scope"] as? String == "account")
        let exported = try bench.ok(line: "export")
        let grants = try self.value(exported)["grants"] as? [[String: Any]]
        #expect(grants?.first?["scope"] as? String == "account")
        for scope in [#""scope" : "account""#, #""scope" : null"#] {
            let text = exported.replacingOccurrences(of: #""scope" : "account""#, with: scope)
            #expect(text.contains(scope))
            let file = try bench.write(text, to: "model.json")
            #expect(try bench.ok(line: "apply \(file) --yes").contains("nothing to change"))
        }
        let file = try bench.write(
            exported.replacingOccurrences(of: #""scope" : "account""#, with: #""scope" : "all""#),
            to: "model.json"
        )
        try bench.refused(line: "apply \(file) --yes", says: "grants.[0].scope is invalid")
    }

    @Test func `a duplicate grant in a document is refused with both positions`() throws {
        let bench = try Bench()
        try bench.furnish()
        try bench.ok(line: "grant add \(Self.bob) \(Self.anna) --view")
        var document = try self.value(bench.ok(line: "export"))
        let grants = try #require(document["grants"] as? [[String: Any]])
        var second = grants[0]
        second["rights"] = "lrswite"
        document["grants"] = grants + [second]
        let octets = try JSONSerialization.data(withJSONObject: document)
        let file = try bench.write(String(decoding: octets, as: UTF8.self), to: "model.json")
        try bench.refused(
            line: "apply \(file) --yes",
            says: "grants[0] and grants[1] are both for \(Self.anna) on \(Self.bob)"
        )
        #expect(try bench.rights("anna", "bob") == "lr none")
    }

    @Test func `a function mailbox has no owner`() throws {
        let bench = try Bench()
        try bench.furnish()
        try bench.ok(line: "account set \(Self.bob) --owner none")
        #expect(try bench.ok(line: "account show \(Self.bob)").contains("none (function mailbox)"))
        try bench.ok(line: "account set \(Self.bob) --owner \(Self.bob)")
        #expect(try bench.rights("bob", "bob") == "lrswipkxtea as")
    }

    @Test(arguments: [
        "listen: [\n", "listen:\n\timaps: x\n", "a: b: c\n", "store: \"gatepost\n",
        "a: 1\na: 2\n", "- list\n", "a: &x *y\n", "\u{0}", "%YAML 9.9\n---\n",
    ])
    func `an error in a configuration does not reveal its contents`(text: String) throws {
        let bench = try Bench()
        let canary = "CANARY-IN-THE-CONFIGURATION"
        _ = try bench.write(
            "# \(canary)\nsecret: \(canary)\n\(text)\n# \(canary)\n",
            to: "gatepost.yaml"
        )
        for command in ["user list", "serve", "doctor"] {
            let run = try bench.run(command.split(separator: " ").map(String.init))
            #expect(run.status == 1)
            #expect(!run.output.contains(canary), "\(run.output)")
            #expect(run.output.split(separator: "\n").count == 1, "\(run.output)")
            #expect(run.output.contains("gatepost.yaml"), "\(run.output)")
        }
    }

    @Test func `an error in a configuration is reported with its position`() throws {
        let bench = try Bench()
        _ = try bench.write("listen:\n  imaps: [\n", to: "gatepost.yaml")
        try bench.refused(line: "user list", says: "cannot be read as YAML: line 3, column 1")
    }

    @Test func `doctor does not create a store`() throws {
        let bench = try Bench()
        let store = bench.folder.appendingPathComponent("gatepost.sqlite")
        try FileManager.default.removeItem(at: store)
        let run = try bench.run(["doctor"])
        #expect(run.status == 1 && run.output.contains("no store at"), "\(run.output)")
        #expect(!FileManager.default.fileExists(atPath: store.path))
    }
}
