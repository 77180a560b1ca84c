import Foundation
import Store
import Synchronization
import Testing

@testable import gatepost

/// The line that a long command shows on standard error.
@Suite struct ProgressLineTests {
    /// A terminal that keeps what is written to it.
    private final class Screen: Sendable {
        private let written = Mutex<[String]>([])

        var texts: [String] { self.written.withLock { $0 } }

        func write(_ text: String) { self.written.withLock { $0.append(text) } }

        /// Waits until something that matches was written.
        func wait(for match: @escaping (String) -> Bool) async throws {
            for _ in 0..<2_000 where !self.texts.contains(where: match) {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(self.texts.contains(where: match), "\(self.texts)")
        }
    }

    private static func progress(
        _ screen: Screen,
        isTerminal: Bool = true,
        delay: Duration = .milliseconds(1),
        width: Int = 80
    ) -> ProgressLine {
        ProgressLine("reading", isTerminal: isTerminal, delay: delay, width: width) {
            screen.write($0)
        }
    }

    @Test func `the line says what is done and how far it is, and is removed`() async throws {
        let screen = Screen()
        let progress = Self.progress(screen)
        try await screen.wait { $0 == "\rgatepost: reading (0 s)\u{1B}[K" }
        progress.report.advance("writing", done: 1_024, of: 1_234_567)
        try await screen.wait { $0.contains("gatepost: writing: 1,024 of 1,234,567 (") }
        progress.end()
        #expect(screen.texts.last == "\r\u{1B}[K")
        let count = screen.texts.count
        try await Task.sleep(for: .milliseconds(400))
        #expect(screen.texts.count == count)
        #expect(screen.texts.allSatisfy { !$0.contains("\n") })
    }

    @Test func `a command that ends soon writes nothing`() async throws {
        let screen = Screen()
        let progress = Self.progress(screen, delay: .milliseconds(100))
        progress.end()
        try await Task.sleep(for: .milliseconds(300))
        #expect(screen.texts.isEmpty)
    }

    @Test func `nothing is written where nobody reads`() async throws {
        let screen = Screen()
        let progress = Self.progress(screen, isTerminal: false)
        try await Task.sleep(for: .milliseconds(300))
        progress.end()
        #expect(screen.texts.isEmpty)
    }

    @Test func `the line fits the terminal`() async throws {
        let screen = Screen()
        let progress = Self.progress(screen, width: 12)
        try await screen.wait { $0 == "\rgatepost: r\u{1B}[K" }
        progress.end()
    }

    @Test func `every 1,024th element is reported`() {
        let screen = Screen()
        let progress = StoreProgress { _, done, _ in screen.write("\(done)") }
        for done in 1...5_000 { progress.advance("x", done: done, of: 5_000) }
        #expect(screen.texts == ["1024", "2048", "3072", "4096"])
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567"), (100_000, "100,000"),
    ])
    func `numbers have commas`(number: Int, text: String) {
        #expect(ProgressLine.text(number) == text)
    }
}
