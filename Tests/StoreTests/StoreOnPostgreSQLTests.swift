import Foundation
import Support
import Testing

/// The tests of the store once more, with PostgreSQL as the engine.
@Suite struct StoreOnPostgreSQLTests {
    /// What these tests examine is in files of SQLite.
    private static let ofFiles = [
        "SchemaTests", "StoreContinuityTests", "StoreReplacementTests", "JournalOfReplacementTests",
        "StoreCopyTests", "StoreFileTests", "StoreOnPostgreSQLTests", "PostgreSQLEngineTests",
        "ReadingCostTests", "TakeoverTests", "StoredSentCopiesTests",
        "between two batches no transaction is open",
        "the migration keeps the records and their hashes",
        "a filter follows its index", "a search follows its index",
        "a dry run works while another process holds the write lock",
        "the time grows as the document does",
        "a removed secret is in no file of the store",
        "verification detects every changed bit of every record",
        "triggers reject updates and deletions of records",
        "a change and its record are committed together",
        "root, the store's owner and users with a role may make changes",
        "the store's file is private to its owner",
    ]

    @Test func `every test of the store passes`() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = ["--testing-library", "swift-testing", "--filter", "^StoreTests\\."]
        process.arguments? += Self.ofFiles.flatMap {
            ["--skip", NSRegularExpression.escapedPattern(for: $0)]
        }
        var environment = ProcessInfo.processInfo.environment
        environment["GATEPOST_TEST_ENGINE"] = "postgresql"
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        let problems = text.split(separator: "\n").filter { $0.contains("recorded an issue") }
        #expect(process.terminationStatus == 0, "\(problems.joined(separator: "\n"))")
        let count = text.firstMatch(of: /Test run with (\d+) tests/).flatMap { Int($0.1) }
        #expect(count ?? 0 > 150)
        #expect(!text.contains(" skipped"))
    }
}
