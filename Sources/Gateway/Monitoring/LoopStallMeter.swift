import Foundation
import Logging
import NIOCore

/// Measures for how long an event loop is held, and logs each time that is too long.
///
/// A task is due every few milliseconds. While something holds the loop the task is late: what passed is
/// the time for which nobody else was heard. The time of the processor tells a loop that works from
/// one that waits for the machine.
final class LoopStallMeter {
    /// Far less than what is looked for; each look wakes the loop, so that it is not measured by default.
    private static let interval = TimeAmount.milliseconds(2)

    private let threshold: TimeAmount
    private let logger: Logger
    private var last = NIODeadline.now()
    private var lastProcessor = LoopStallMeter.processorTime

    private init(threshold: TimeAmount, logger: Logger) {
        self.threshold = threshold
        self.logger = logger
    }

    /// Measures a loop as long as it runs.
    /// - Parameter threshold: what is logged, from so much time of the processor, or ten times as much time.
    static func start(on loop: any EventLoop, threshold: TimeAmount, logger: Logger) {
        loop.execute {
            let meter = NIOLoopBound(Self(threshold: threshold, logger: logger), eventLoop: loop)
            loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
                meter.value.look()
            }
        }
    }

    private func look() {
        let (now, processor) = (NIODeadline.now(), Self.processorTime)
        defer { (self.last, self.lastProcessor) = (now, processor) }
        let passed = now - self.last - Self.interval
        let worked = processor - self.lastProcessor
        guard worked >= self.threshold || passed >= self.threshold * 10 else { return }
        self.logger.warning(
            "event loop held",
            metadata: [
                "milliseconds": "\(passed.nanoseconds / 1_000_000)",
                "processor": "\(worked.nanoseconds / 1_000_000)",
            ]
        )
    }

    /// This thread's.
    private static var processorTime: TimeAmount {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}
