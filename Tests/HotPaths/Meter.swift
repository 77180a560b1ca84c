/// Measures the gateway's part of a path, and leaves out what clients and mail servers do.
///
/// `.ci/counts` finds ``counted(_:)`` and ``ended()`` by their names in the program.
final class Meter {
    /// Whether the rounds count; false while caches and tables are filled.
    var isCounting = false
    /// The time of the work since the last path.
    private var time = Duration.zero
    private let clock = ContinuousClock()

    /// Adds the work of a closure.
    func measure(_ work: () throws -> Void) rethrows {
        guard self.isCounting else { return try work() }
        let start = self.clock.now
        try Self.counted(work)
        self.time += self.clock.now - start
    }

    /// The only function whose instructions `.ci/counts` counts, with all that it calls.
    @inline(never)
    private static func counted(_ work: () throws -> Void) rethrows { try work() }

    /// Ends a path.
    /// - Returns: the time of its work.
    @inline(never)
    func ended() -> Duration {
        defer { self.time = .zero }
        self.isCounting = false
        return self.time
    }
}
