import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Gateway

/// An event loop that is held is logged, and one that waits for work is not.
@Suite(.timeLimit(.minutes(20))) struct LoopStallMeterTests {
    private static func processorTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    @Test func `work that holds an event loop is logged with its processor time`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let log = LogLines()
        let loop = group.next()
        LoopStallMeter.start(on: loop, threshold: .milliseconds(30), logger: log.logger)
        try await loop.submit {}.get()
        // Of the thread's own time, so that it does not matter what else runs.
        try await loop.submit {
            let start = Self.processorTime()
            while Self.processorTime() - start < 60_000_000 {}
        }.get()
        while log.count("event loop held") == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let line = try #require(log.all.first { $0.contains("processor=") })
        let value = try #require(line.split(separator: " ").last?.split(separator: "=").last)
        let milliseconds = try #require(Int(value))
        #expect(milliseconds >= 30, "\(line)")
        try await group.shutdownGracefully()
    }

    @Test func `an idle event loop is not logged`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let log = LogLines()
        // What it waits for the machine is logged from ten times as much on: nothing waits for a day.
        LoopStallMeter.start(on: group.next(), threshold: .hours(3), logger: log.logger)
        for _ in 0..<100 { try await group.next().submit {}.get() }
        #expect(log.all == [])
        try await group.shutdownGracefully()
    }
}
