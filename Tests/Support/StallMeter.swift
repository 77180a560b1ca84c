import Foundation

/// How long single calls hold an event loop, in time of the processor: what else runs on the machine
/// does not count.
package struct StallMeter {
    #if DEBUG
    /// Milliseconds that no call may take. Without optimisation Swift takes twenty times as long and more
    /// for the 20 that a release may.
    package static let limit = 400.0
    #else
    /// Milliseconds that no call may take.
    package static let limit = 20.0
    #endif

    /// Milliseconds of the longest call so far.
    package private(set) var longest = 0.0

    package init() {}

    /// - Parameter start: what ``now`` was before the call.
    package mutating func add(since start: UInt64) {
        self.longest = max(self.longest, Double(Self.now - start) / 1_000_000)
    }

    /// This thread's time of the processor, in nanoseconds.
    package static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
