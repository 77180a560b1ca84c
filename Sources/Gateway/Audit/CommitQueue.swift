import NIOCore

/// Callers that wait until their records of the audit log are on the disk, in the order of the
/// records.
struct CommitQueue {
    /// A caller that waits.
    struct Commit: Sendable {
        /// The number of its record, counted from the start of the log.
        var number: UInt64
        /// The event loop on which ``done`` is called.
        var loop: any EventLoop
        /// Receives whether the record is on the disk.
        var done: @Sendable (Bool) -> Void
        /// The tick of the queue in which it began to wait.
        fileprivate var tick = 0

        init(number: UInt64, loop: any EventLoop, done: @escaping @Sendable (Bool) -> Void) {
            self.number = number
            self.loop = loop
            self.done = done
        }
    }

    /// The longest wait: ten seconds of ticks of 200 milliseconds, as long as SQLite waits for
    /// another process. Clients wait for an answer a little longer than that.
    static let maximumTicks = 50

    private var waiting = CircularBuffer<Commit>()
    private var tick = 0

    /// Adds a caller whose record is the newest.
    mutating func append(_ commit: Commit) {
        var commit = commit
        commit.tick = self.tick
        self.waiting.append(commit)
    }

    /// Removes the callers whose records have this number or a lower one.
    mutating func take(through number: UInt64) -> [Commit] {
        self.take { $0.number <= number }
    }

    mutating func takeAll() -> [Commit] {
        self.take { _ in true }
    }

    /// An interval of the log has passed.
    /// - Returns: the callers that have waited for too long; they are removed.
    mutating func nextTick() -> [Commit] {
        self.tick += 1
        let end = self.tick - Self.maximumTicks
        return self.take { $0.tick < end }
    }

    private mutating func take(while matches: (Commit) -> Bool) -> [Commit] {
        var taken: [Commit] = []
        while let first = self.waiting.first, matches(first) {
            taken.append(first)
            self.waiting.removeFirst()
        }
        return taken
    }
}

extension [CommitQueue.Commit] {
    /// Callers that one turn of an event loop answers: a millisecond of work.
    private static var turn: Int { 32 }
    /// The pause between two turns, in which the event loop polls its sockets.
    private static var pause: TimeAmount { .microseconds(200) }

    /// Calls every caller on its event loop, those of one loop together.
    func finish(isCommitted: Bool) {
        let groups = Dictionary(grouping: self) { ObjectIdentifier($0.loop) }
        for group in groups.values {
            Self.finish(group[...], isCommitted: isCommitted, isFirst: true)
        }
    }

    private static func finish(
        _ group: ArraySlice<CommitQueue.Commit>,
        isCommitted: Bool,
        isFirst: Bool
    ) {
        guard let loop = group.first?.loop else { return }
        let work: @Sendable () -> Void = {
            for commit in group.prefix(Self.turn) { commit.done(isCommitted) }
            Self.finish(group.dropFirst(Self.turn), isCommitted: isCommitted, isFirst: false)
        }
        if isFirst {
            loop.execute(work)
        } else {
            loop.scheduleTask(in: Self.pause, work)
        }
    }
}
