import Foundation

/// How much longer twice as much takes.
package enum Linearity {
    /// What is measured takes about this long, in nanoseconds: less is noise, and hides what grows with the
    /// square behind what does not; more takes the processor from others.
    private static let enough: UInt64 = 2_000_000

    /// Whether sizes are measured at which the work for each octet hides nothing (`LINEAR_THOROUGH=1`); that
    /// takes minutes of the processor.
    package static let isThorough =
        ProcessInfo.processInfo.environment["LINEAR_THOROUGH"] != nil

    /// Measurements at most: on a busy machine many of them are disturbed.
    private static let tries = 32

    /// What grows in proportion takes twice as long, and some more where it leaves a cache; with the square,
    /// four times as long.
    package static let most = 3.0

    /// - Parameters:
    ///   - least: the size to begin with; a larger one is taken where that is too quick to measure.
    ///   - size: the largest size to measure.
    ///   - prepare: makes the work for a size. Only the work is measured, in this thread's time.
    /// - Returns: the time of twice a size by the time of that size; the best of some tries.
    package static func ratio(
        from least: Int = 16 * 1_024,
        upTo size: Int,
        _ prepare: (Int) -> () -> Void
    ) -> Double {
        var half = min(size, least) / 2
        while half * 2 < size, self.time(prepare(half), rounds: 1) < self.enough { half *= 2 }
        var best = Double.infinity
        for _ in 0..<Self.tries where best > 2.8 {
            let once = self.time(prepare(half), rounds: 1)
            let twice = self.time(prepare(2 * half), rounds: 1)
            best = min(best, Double(twice) / Double(max(once, 1)))
        }
        return best
    }

    private static func time(_ work: () -> Void, rounds: Int) -> UInt64 {
        (0..<rounds).map { _ in
            let start = threadTime()
            work()
            return threadTime() - start
        }.min() ?? 0
    }

    private static func threadTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
