import Foundation
import Testing

/// Runs every file in `Submissions`. ``SubmissionDialog`` describes the format.
@Suite struct SubmissionTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Submissions")

    static let files: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".submission") }.sorted()
    }()

    @Test func `the conversation files exist`() {
        #expect(Self.files.count > 10)
    }

    @Test(arguments: files)
    func `a conversation matches its file`(file: String) throws {
        try self.run(file, chunk: 100_000)
    }

    @Test(arguments: files)
    func `a conversation does not depend on where octets are split`(file: String) throws {
        for chunk in 1...3 { try self.run(file, chunk: chunk) }
    }

    /// The reply to MAIL is outstanding. On the same connection, the next MAIL would get it instead of its own.
    @Test func `a right that ends during the envelope closes the connection to the server`() throws
    {
        let script = """
            @grant info as
            C: MAIL FROM:<>
            S: 250 2.1.0 Sender accepted
            C: RCPT TO:<x@x.example>
            S: 250 2.1.5 Recipient accepted
            C: DATA
            S: 354 End the message with a dot on a line of its own
            C: From: info@kanzlei.example
            C:
            C: .
            ! opened info
            U> MAIL FROM:<>
            ! grant info none
            ! dropped
            S: 550 5.7.1 You may not send as an address in From
            ! grant info as
            C: MAIL FROM:<info@kanzlei.example>
            ! opened info
            U> MAIL FROM:<info@kanzlei.example>
            U< 250 Ok
            S: 250 Ok
            """
        var dialog = try SubmissionDialog(script, name: "envelope")
        try dialog.run(chunk: 100_000)
    }

    private func run(_ file: String, chunk: Int) throws {
        let url = Self.folder.appendingPathComponent(file)
        var dialog = try SubmissionDialog(try String(contentsOf: url, encoding: .utf8), name: file)
        try dialog.run(chunk: chunk)
    }
}
