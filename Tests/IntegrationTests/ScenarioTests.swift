import Foundation
import Testing

/// Every scenario of `Clients`, against real servers, one test each.
@Suite(.serialized) @MainActor struct ScenarioTests {
    nonisolated private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Clients")

    /// The functions of a file without arguments, each of which is a scenario.
    nonisolated private static func scenarios(in file: String) -> [String] {
        let path = Self.folder.appendingPathComponent(file)
        let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("def "), line.hasSuffix("():") else { return nil }
            return String(line.dropFirst("def ".count).dropLast("():".count))
        }
    }

    @Test func `there are scenarios to run`() {
        #expect(Self.scenarios(in: "scenarios.py").count >= 30)
        #expect(Self.scenarios(in: "programs.py").count >= 4)
        #expect(Self.scenarios(in: "sending.py").count >= 10)
        #expect(Self.scenarios(in: "exchange.py").count >= 5)
    }

    @Test(arguments: scenarios(in: "scenarios.py"))
    func `a client sees what it may`(scenario: String) throws {
        try self.run("scenarios.py", scenario)
    }

    @Test(arguments: scenarios(in: "sending.py"))
    func `a client sends as it may`(scenario: String) throws {
        try self.run("sending.py", scenario)
    }

    @Test(arguments: scenarios(in: "exchange.py"))
    func `Exchange accounts follow the same model`(scenario: String) throws {
        try self.run("exchange.py", scenario)
    }

    @Test(arguments: scenarios(in: "programs.py"))
    func `a mail program works`(scenario: String) throws {
        try self.run("programs.py", scenario)
    }

    private func run(_ file: String, _ scenario: String) throws {
        let office = try Office.shared.get()
        let path = Self.folder.appendingPathComponent(file).path
        let run = try Tool.run(try Tool.find("python3"), [path, scenario], office.environment)
        #expect(run.status == 0, "\(scenario): \(run.output)")
    }
}
