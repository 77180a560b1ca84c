import Foundation

/// How long single calls hold an event loop, in time of the processor and by a piece of work that is measured in the
/// same run: what else runs on the machine, and how fast it is, does not count.
package struct StallMeter {
    #if DEBUG
    /// How many times the piece of work (``unit()``) no call may take. Without optimisation generic code takes twenty
    /// times as long and more, and the piece of work three times.
    package static let limit = 1_200.0
    #else
    /// How many times the piece of work (``unit()``) no call may take: 20 milliseconds of a machine of 2024.
    package static let limit = 160.0
    #endif

    /// Milliseconds of the longest call so far.
    package private(set) var longest = 0.0

    package init() {}

    /// - Parameter start: what ``now`` was before the call.
    package mutating func add(since start: UInt64) {
        self.longest = max(self.longest, Double(Self.now - start) / 1_000_000)
    }

    /// Whether a call took longer than any may. The piece of work is measured when that is in doubt: a machine that is
    /// slow now was slow a moment ago.
    package var isOverLimit: Bool {
        // Below this nothing is in doubt, whatever the machine.
        guard self.longest > Self.certain else { return false }
        let unit = (0..<5).map { _ in Self.unit() }.max() ?? 0
        return self.longest > Self.limit * unit
    }

    /// Milliseconds.
    private static let certain = 10.0

    /// Milliseconds for what a session does all the time: octets are compared, counted and looked up.
    package static func unit() -> Double {
        let start = self.now
        var counts: [[UInt8]: Int] = [:]
        for number in 0..<1_000 {
            let name = Array("Ordner/\(number % 100)".utf8)
            counts[name, default: 0] += name.count
        }
        precondition(counts.count == 100)
        return Double(self.now - start) / 1_000_000
    }

    /// This thread's time of the processor, in nanoseconds.
    package static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
