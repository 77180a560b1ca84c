import Foundation
import Testing

/// Runs the scenarios in `Clients`, each a Python function without arguments, against real
/// servers.
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

/// Reading: what clients see.
@Suite(.serialized) @MainActor struct ScenarioTests {
    @Test func `there are scenarios to run`() {
        let counts = [
            "scenarios.py": 33, "folders.py": 3, "programs.py": 4, "sending.py": 27,
            "exchange.py": 11, "transfers.py": 12, "oversight.py": 16, "process.py": 13,
            "records.py": 5, "hostile.py": 31, "crowd.py": 1, "differential.py": 2,
            "soak.py": 1, "logins.py": 19, "stores.py": 6, "comparison.py": 4,
            "storm.py": 1, "kills.py": 2,
            "oddities.py": 3, "habits.py": 5, "weak.py": 4, "lists.py": 4, "nodes.py": 4,
            "limits_of_nodes.py": 8,
            "takeover.py": 6, "sources.py": 6, "tokens.py": 7,
            "directory.py": 10, "apppasswords.py": 3,
        ]
        for (file, count) in counts {
            #expect(Scenarios.names(in: file).count == count, "\(file)")
        }
    }

    @Test(arguments: Scenarios.names(in: "scenarios.py"))
    func `a client sees the mailboxes and messages that it may read`(scenario: String) async throws
    {
        try await Scenarios.run("scenarios.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "folders.py"))
    func `a folder that the server does not list is reported as missing`(
        scenario: String
    ) async throws {
        try await Scenarios.run("folders.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "lists.py"))
    func `a server that does not answer delays a LIST only briefly`(scenario: String) async throws {
        try await Scenarios.run("lists.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "habits.py"))
    func `the commands of mail programs are understood`(scenario: String) async throws {
        try await Scenarios.run("habits.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "stores.py"))
    func `a gateway uses the store that is on disk`(scenario: String) async throws {
        try await Scenarios.run("stores.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "nodes.py"))
    func `gateways share a database of PostgreSQL`(scenario: String) async throws {
        try await Scenarios.run("nodes.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "limits_of_nodes.py"))
    func `gateways of a database count together, and end each other's sessions`(
        scenario: String
    ) async throws {
        try await Scenarios.run("limits_of_nodes.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "comparison.py"))
    func `a mail server gives the same answers through the gateway`(scenario: String) async throws {
        try await Scenarios.run("comparison.py", scenario, Office.first)
    }

    @Test(arguments: Scenarios.names(in: "oversight.py"))
    func `owners and administrators decide, and decisions take effect at once`(
        scenario: String
    ) async throws {
        try await Scenarios.run("oversight.py", scenario, Office.first)
    }
}

/// Load and measurements: each file needs the processor for itself, so they run one after the
/// other.
@Suite(.serialized) @MainActor struct CrowdTests {
    // Needs an idle machine: response times with 10,000 half-open connections are compared with
    // those without.
    @Test(arguments: Scenarios.names(in: "process.py"))
    func `the process protects its memory and files and withstands load`(
        scenario: String
    ) async throws {
        try await Scenarios.run("process.py", scenario, Office.first)
    }

    // Needs an idle machine: 2,000 sessions send commands while 100 edits a second are applied.
    @Test(arguments: Scenarios.names(in: "crowd.py"))
    func `2000 sessions are served during changes`(scenario: String) async throws {
        try await Scenarios.run("crowd.py", scenario, Office.first)
    }

    // Needs an idle machine: rights that are kept for a second are a failure.
    @Test(arguments: Scenarios.names(in: "storm.py"))
    func `three nodes withstand failures of each other, the database and the network`(
        scenario: String
    ) async throws {
        try await Scenarios.run("storm.py", scenario, Office.restless)
    }

    // Needs an idle machine: log lines are counted by the minute.
    @Test(arguments: Scenarios.names(in: "records.py"))
    func `logs and metrics match what happened`(scenario: String) async throws {
        try await Scenarios.run("records.py", scenario, Office.restless)
    }

    // Needs an idle machine: floods, and work that blocks an event loop.
    @Test(arguments: Scenarios.names(in: "hostile.py"))
    func `an attacker causes no harm`(scenario: String) async throws {
        try await Scenarios.run("hostile.py", scenario, Office.restless)
    }

    // Needs an idle machine: hundreds of passwords are verified, and the CPU time of an idle
    // gateway is measured.
    @Test(arguments: Scenarios.names(in: "logins.py"))
    func `refused logins lock no other user out`(scenario: String) async throws {
        try await Scenarios.run("logins.py", scenario, Office.restless)
    }

    // Needs an idle machine: two parsers are compared on thousands of inputs.
    @Test(arguments: Scenarios.names(in: "differential.py"))
    func `an independent parser agrees`(scenario: String) async throws {
        try await Scenarios.run("differential.py", scenario, Office.restless)
    }

    // Needs an idle machine: several mail programs work for a time, and memory is measured.
    @Test(arguments: Scenarios.names(in: "soak.py"))
    func `an office of mail programs keeps working`(scenario: String) async throws {
        try await Scenarios.run("soak.py", scenario, Office.restless)
    }
}

/// Sending, transfers, Exchange accounts, and real mail programs.
@Suite(.serialized) @MainActor struct SendingScenarioTests {
    @Test(arguments: Scenarios.names(in: "sending.py"))
    func `a client sends only as its rights allow`(scenario: String) async throws {
        try await Scenarios.run("sending.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "transfers.py"))
    func `messages are copied and moved between accounts`(scenario: String) async throws {
        try await Scenarios.run("transfers.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "takeover.py"))
    func `another node takes over what a dead one left`(scenario: String) async throws {
        try await Scenarios.run("takeover.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "kills.py"))
    func `a gateway that is killed has lost nothing that it acknowledged`(
        scenario: String
    ) async throws {
        try await Scenarios.run("kills.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "oddities.py"))
    func `unusual server responses lose no message`(scenario: String) async throws {
        try await Scenarios.run("oddities.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "sources.py"))
    func `a mail server's password logs its user in`(scenario: String) async throws {
        try await Scenarios.run("sources.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "tokens.py"))
    func `an access token logs its user in`(scenario: String) async throws {
        try await Scenarios.run("tokens.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "directory.py"))
    func `a directory's password logs its user in`(scenario: String) async throws {
        try await Scenarios.run("directory.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "apppasswords.py"))
    func `an app password logs its user in`(scenario: String) async throws {
        try await Scenarios.run("apppasswords.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "weak.py"))
    func `a server with few extensions is usable`(scenario: String) async throws {
        try await Scenarios.run("weak.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "exchange.py"))
    func `Exchange accounts follow the same permission model`(scenario: String) async throws {
        try await Scenarios.run("exchange.py", scenario, Office.second)
    }

    @Test(arguments: Scenarios.names(in: "programs.py"))
    func `a real mail program works`(scenario: String) async throws {
        try await Scenarios.run("programs.py", scenario, Office.second)
    }
}
