import Foundation
import Testing

/// The scenarios of `Clients`, each a function without arguments, against real servers.
private enum Scenarios {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Clients")

    static func names(in file: String) -> [String] {
        let path = Self.folder.appendingPathComponent(file)
        let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("def "), line.hasSuffix("():") else { return nil }
            return String(line.dropFirst("def ".count).dropLast("():".count))
        }
    }

    @MainActor
    static func run(
        _ file: String,
        _ scenario: String,
        _ office: Result<Office, any Error>
    ) async throws {
        let path = Self.folder.appendingPathComponent(file).path
        let run = try await Tool.runAside(
            try Tool.find("python3"),
            [path, scenario],
            try office.get().environment
        )
        #expect(run.status == 0, "\(scenario): \(run.output)")
    }
}

/// What clients see.
@Suite(.serialized) @MainActor struct ScenarioTests {
    @Test func `there are scenarios to run`() {
        let counts = [
            "scenarios.py": 33, "folders.py": 3, "programs.py": 4, "sending.py": 26,
            "exchange.py": 11, "transfers.py": 12, "oversight.py": 15, "process.py": 10,
            "records.py": 5, "hostile.py": 31, "crowd.py": 1, "differential.py": 2,
            "soak.py": 1, "logins.py": 17, "stores.py": 6, "comparison.py": 4,
            "oddities.py": 3, "habits.py": 5, "weak.py": 4, "lists.py": 4,
        ]
        for (file, count) in counts {
            #expect(Scenarios.names(in: file).count == count, "\(file)")
        }
    }

    @Test(arguments: Scenarios.names(in: "scenarios.py"))
    func `a client sees what it may`(scenario: String) async throws {
        try await Scenarios.run("scenarios.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "folders.py"))
    func `a folder that the server does not list is missing`(scenario: String) async throws {
        try await Scenarios.run("folders.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "lists.py"))
    func `a server that hangs costs a list little`(scenario: String) async throws {
        try await Scenarios.run("lists.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "habits.py"))
    func `what mail programs write is understood`(scenario: String) async throws {
        try await Scenarios.run("habits.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "stores.py"))
    func `the store on disk is the store in force`(scenario: String) async throws {
        try await Scenarios.run("stores.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "comparison.py"))
    func `a mail server answers the same through the gateway`(scenario: String) async throws {
        try await Scenarios.run("comparison.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "oversight.py"))
    func `who may decide is asked, and what is decided counts at once`(
        scenario: String
    ) async throws {
        try await Scenarios.run("oversight.py", scenario, Office.first)
    }
}

/// Many at once: each file here wants the processor for itself, so that they run one after the other.
@Suite(.serialized) @MainActor struct CrowdTests {
    // Needs quiet: answers beside 10,000 half-open connections are compared with those without them.
    @Test(arguments: Scenarios.names(in: "process.py"))
    func `the process keeps to itself, and bears a lot`(scenario: String) async throws {
        try await Scenarios.run("process.py", scenario, Office.first)
    }

    // Needs quiet: 2,000 sessions are asked while 100 changes a second are applied.
    @Test(arguments: Scenarios.names(in: "crowd.py"))
    func `a crowd is served`(scenario: String) async throws {
        try await Scenarios.run("crowd.py", scenario, Office.first)
    }

    // Needs quiet: lines of a log are counted by the minute.
    @Test(arguments: Scenarios.names(in: "records.py"))
    func `what is written down is what happened`(scenario: String) async throws {
        try await Scenarios.run("records.py", scenario, Office.restless)
    }

    // Needs quiet: floods, and the work that holds a loop.
    @Test(arguments: Scenarios.names(in: "hostile.py"))
    func `who means harm does none`(scenario: String) async throws {
        try await Scenarios.run("hostile.py", scenario, Office.restless)
    }

    // Needs quiet: hundreds of passwords are checked, and what an idle gateway works is measured.
    @Test(arguments: Scenarios.names(in: "logins.py"))
    func `a login that is refused locks nobody out`(scenario: String) async throws {
        try await Scenarios.run("logins.py", scenario, Office.restless)
    }

    // Needs quiet: two readers are compared with thousands of inputs.
    @Test(arguments: Scenarios.names(in: "differential.py"))
    func `another reader agrees`(scenario: String) async throws {
        try await Scenarios.run("differential.py", scenario, Office.restless)
    }

    // Needs quiet: an office of programs works for a time, and its memory is measured.
    @Test(arguments: Scenarios.names(in: "soak.py"))
    func `an office works on`(scenario: String) async throws {
        try await Scenarios.run("soak.py", scenario, Office.restless)
    }
}

/// What clients send, what Exchange shares, and whole mail programs.
@Suite(.serialized) @MainActor struct SendingScenarioTests {
    @Test(arguments: Scenarios.names(in: "sending.py"))
    func `a client sends as it may`(scenario: String) async throws {
        try await Scenarios.run("sending.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "transfers.py"))
    func `messages pass between accounts`(scenario: String) async throws {
        try await Scenarios.run("transfers.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "oddities.py"))
    func `a server that writes oddly loses nothing`(scenario: String) async throws {
        try await Scenarios.run("oddities.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "weak.py"))
    func `a server that can little serves`(scenario: String) async throws {
        try await Scenarios.run("weak.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "exchange.py"))
    func `Exchange accounts follow the same model`(scenario: String) async throws {
        try await Scenarios.run("exchange.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "programs.py"))
    func `a mail program works`(scenario: String) async throws {
        try await Scenarios.run("programs.py", scenario, Office.second)
    }
}
