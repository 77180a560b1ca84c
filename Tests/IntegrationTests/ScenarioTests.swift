import Foundation
import Testing

/// Every scenario of `Clients/scenarios.py`, against real servers, one test each.
@Suite(.serialized) @MainActor struct ScenarioTests {
    nonisolated private static let clients = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent()
        .appendingPathComponent("Clients")

    nonisolated static let scenarios: [String] = {
        let file = Self.clients.appendingPathComponent("scenarios.py")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        let helpers = ["gatepost", "wire", "owner", "append"]
        return text.split(separator: "\n").filter { $0.hasPrefix("def ") }.compactMap { line in
            line.dropFirst(4).split(separator: "(").first.map(String.init)
        }.filter { !helpers.contains($0) }
    }()

    @Test func `there are scenarios to run`() {
        #expect(Self.scenarios.count >= 23)
    }

    @Test(arguments: scenarios)
    func `a client sees what it may`(scenario: String) throws {
        let office = try Office.shared.get()
        let file = Self.clients.appendingPathComponent("scenarios.py").path
        let run = try Tool.run(try Tool.find("python3"), [file, scenario], office.environment)
        #expect(run.status == 0, "\(scenario): \(run.output)")
    }
}
