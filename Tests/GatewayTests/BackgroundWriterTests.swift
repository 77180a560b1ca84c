import Synchronization
import Testing

@testable import Gateway

@Suite struct BackgroundWriterTests {
    private final class Numbers: Sendable {
        private let list = Mutex<[Int]>([])

        var all: [Int] { self.list.withLock { $0 } }

        func add(_ number: Int) { self.list.withLock { $0.append(number) } }
    }

    @Test func `stop waits for everything that was submitted before, in its order`() async throws {
        let writer = BackgroundWriter()
        writer.start()
        let done = Numbers()
        for number in 0..<2_000 { writer.submit { done.add(number) } }
        try await writer.stop()
        #expect(done.all == Array(0..<2_000))
    }
}
