/// A point in time at which an operation must have ended.
struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    init(seconds: Int) {
        self.instant = .now + .seconds(max(seconds, 0))
    }

    private init(instant: ContinuousClock.Instant) {
        self.instant = instant
    }

    /// The time that is left, in milliseconds; 0 when the deadline has passed.
    var milliseconds: Int {
        let left = self.instant - .now
        guard left > .zero else { return 0 }
        let (seconds, attoseconds) = left.components
        // Rounded up: a wait must not end just before the deadline.
        let milliseconds = Int(attoseconds / 1_000_000_000_000_000) + 1
        // An int of C, as poll(2) takes it.
        return Int(min(seconds, 1_000_000)) * 1_000 + milliseconds
    }

    var hasPassed: Bool { ContinuousClock.now >= self.instant }

    /// The earlier of this deadline and another one, if there is another one.
    func earlier(_ other: Deadline?) -> Deadline {
        guard let other else { return self }
        return Deadline(instant: min(self.instant, other.instant))
    }

    /// The earlier of this deadline and a number of seconds from now.
    func earlier(seconds: Int) -> Deadline {
        self.earlier(Deadline(seconds: seconds))
    }

    /// A share of the time that is left.
    func share(of count: Int) -> Deadline {
        let left = self.instant - .now
        return Deadline(instant: .now + left / max(count, 1))
    }
}
