import ArgumentParser
import Foundation
import Gateway
import Store
import Support
import Testing

@testable import gatepost

/// An installation in a folder of its own, and commands on it in this process.
final class CommandBench: Sendable {
    let folder: TemporaryFolder

    var file: String { self.folder.path("office/gatepost.yaml") }

    init() throws {
        self.folder = try TemporaryFolder()
        var template = ConfigurationTemplate(folder: self.folder.path("office"), host: "127.0.0.1")
        template.imap = 0
        try template.write()
    }

    /// Opens the store as the next command would.
    func store() throws -> PermissionStore {
        try PermissionStore(path: self.folder.path("office/gatepost.sqlite"), creates: false)
    }

    /// Runs a command line; no word in it has a space, and `_` stands for one.
    func run(_ line: String) async throws {
        let words = line.split(separator: " ").map { word in
            String(word).replacing("_", with: " ")
        }
        var command = try GatepostCommand.parseAsRoot(words + ["--config", self.file])
        if var command = command as? any AsyncParsableCommand {
            try await command.run()
        } else {
            try command.run()
        }
    }

    func run(lines: [String]) async throws {
        for line in lines { try await self.run(line) }
    }

    /// What is said of a command that is refused; empty where it is not.
    func refusal(of line: String) async -> String {
        do {
            try await self.run(line)
            Issue.record("done: \(line)")
            return ""
        } catch let error as Failure {
            return error.description
        } catch let error as StoreError {
            return error.description
        } catch {
            return GatepostCommand.fullMessage(for: error)
        }
    }

    /// Anna and Bob, each with a mailbox; made once and copied then, because a password's hash takes its time.
    static func furnished() async throws -> CommandBench {
        let bench = try CommandBench()
        let made = try await self.template.value
        let files = FileManager.default
        for name in ["office", "password"] {
            try? files.removeItem(atPath: bench.folder.path(name))
            try files.copyItem(atPath: made.folder.path(name), toPath: bench.folder.path(name))
        }
        return bench
    }

    private static let template = Task {
        let bench = try CommandBench()
        try await bench.furnish()
        return bench
    }

    private func furnish() async throws {
        let password = try self.folder.write("pw\nsecond line", as: "password")
        for name in ["anna", "bob"] {
            try await self.run("user add \(name)@kanzlei.example --password-file \(password)")
            try await self.run(
                "account add \(name)@kanzlei.example --kind imap --imap mail.example "
                    + "--owner \(name)@kanzlei.example --password-file \(password)"
            )
        }
    }
}
