import Foundation
import Logging
import NIOCore

/// Measures how long work holds an event loop, and logs each stall above a threshold.
///
/// A task is due every few milliseconds. While work holds the loop the task is late by the time in
/// which no other connection was served. The processor time of the thread distinguishes a loop that
/// works from one that waits for the machine.
final class LoopStallMeter {
    /// The interval of the task: far below every useful threshold. Each run wakes the loop, so it
    /// is off by default.
    private static let interval = TimeAmount.milliseconds(2)

    /// Processor time in a run of the task.
    private let threshold: TimeAmount
    private let logger: Logger
    /// When the task last ran.
    private var last = NIODeadline.now()
    /// The thread's processor time then.
    private var lastProcessor = LoopStallMeter.processorTime

    private init(threshold: TimeAmount, logger: Logger) {
        self.threshold = threshold
        self.logger = logger
    }

    /// Measures a loop as long as it runs.
    /// - Parameter threshold: the processor time from which a stall is logged. A stall of ten times
    ///   as much elapsed time is logged as well.
    static func start(on loop: any EventLoop, threshold: TimeAmount, logger: Logger) {
        loop.execute {
            let meter = NIOLoopBound(Self(threshold: threshold, logger: logger), eventLoop: loop)
            loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
                meter.value.look()
            }
        }
    }

    /// Compares the elapsed time with the interval.
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

    /// The processor time of this thread (clock_gettime(2)).
    private static var processorTime: TimeAmount {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}
