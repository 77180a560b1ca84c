import Foundation
import NIOCore
import Synchronization

/// The attempts to file waiting copies that are due later. An administrator can bring one forward,
/// or end it; an attempt that has begun is not among them.
final class SentCopyAttempts: Sendable {
    /// An attempt that is due later.
    struct Attempt: Sendable {
        var copy: WaitingSentCopy
        /// The event loop on which it runs.
        var loop: any EventLoop
        /// How many attempts have failed before.
        var attempt: Int
        /// When it is due.
        var due: NIODeadline
        /// Why the attempt before it failed; nil for the first one.
        var error: String?
    }

    private struct State {
        var attempts: [Int: Attempt] = [:]
        /// The number of the last attempt. A copy that was fetched anew may have two.
        var last = 0
    }

    private let state = Mutex(State())

    /// Runs an attempt after a time, unless it is taken before.
    func schedule(
        _ attempt: Attempt,
        in time: TimeAmount,
        run: @escaping @Sendable (Attempt) -> Void
    ) {
        let number = self.state.withLock { state in
            state.last += 1
            state.attempts[state.last] = attempt
            return state.last
        }
        // By the clock of the event loop.
        attempt.loop.scheduleTask(in: time) { [self] in
            // Of the task and an administrator, only one gets it.
            let attempt = self.state.withLock { $0.attempts.removeValue(forKey: number) }
            if let attempt { run(attempt) }
        }
    }

    /// Takes the attempts that are due later, those of one copy or all. The caller decides what
    /// becomes of them.
    /// - Parameter name: the name of the copy; nil for all.
    func take(_ name: String?) -> [Attempt] {
        self.state.withLock { state in
            let taken = state.attempts.filter { name == nil || $0.value.copy.name == name }
            for number in taken.keys { state.attempts[number] = nil }
            return taken.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// The attempts that are due later, oldest first.
    var all: [Attempt] {
        self.state.withLock { $0.attempts.sorted { $0.key < $1.key }.map(\.value) }
    }
}
