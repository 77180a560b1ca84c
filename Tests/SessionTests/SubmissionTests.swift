import Foundation
import Testing

/// Runs every file in `Submissions`: one conversation each; ``SubmissionDialog`` says how they are
/// written.
@Suite struct SubmissionTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Submissions")

    static let files: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".submission") }.sorted()
    }()

    @Test func `there are conversations to run`() {
        #expect(Self.files.count > 10)
    }

    @Test(arguments: files)
    func `the conversation goes as written`(file: String) throws {
        try self.run(file, chunk: 100_000)
    }

    @Test(arguments: files)
    func `the conversation does not depend on where octets are cut`(file: String) throws {
        for chunk in 1...3 { try self.run(file, chunk: chunk) }
    }

    private func run(_ file: String, chunk: Int) throws {
        let url = Self.folder.appendingPathComponent(file)
        var dialog = try SubmissionDialog(try String(contentsOf: url, encoding: .utf8), name: file)
        try dialog.run(chunk: chunk)
    }
}
