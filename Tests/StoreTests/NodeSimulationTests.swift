import Foundation
import Testing

/// The program `NodeSimulation`, in a small size.
@Suite struct NodeSimulationTests {
    /// The program beside the tests.
    private static var executable: URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        repeat {
            folder.deleteLastPathComponent()
            let file = folder.appendingPathComponent("NodeSimulation")
            if FileManager.default.isExecutableFile(atPath: file.path) { return file }
        } while folder.path != "/"
        return folder
    }

    /// Up to three times: tests at the same time delay what a node does.
    @Test func `eight nodes have one state, and none keeps a right longer than a second`() throws {
        var output = ""
        for _ in 0..<3 {
            let process = Process()
            process.executableURL = Self.executable
            process.arguments = ["8", "200", "60", "20"]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            output = String(
                decoding: pipe.fileHandleForReading.readDataToEndOfFile(),
                as: UTF8.self
            )
            process.waitUntilExit()
            guard output.contains("a right was kept for") else {
                #expect(process.terminationStatus == 0, "\(output)")
                break
            }
        }
        #expect(output.contains("all 8 nodes have the state of the database"))
        #expect(output.contains("a withdrawn right was kept for"))
        #expect(!output.contains("failed"), "\(output)")
    }
}
