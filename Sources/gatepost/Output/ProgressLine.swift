import Dispatch
import Foundation
import Store
import Synchronization

/// One line on standard error that says what a long command does, and how far it is.
///
/// It appears after one second, only at a terminal, is rewritten in place, and is removed at the
/// end: `gatepost: writing the changes: 12,000 of 110,000 (3 s)`.
final class ProgressLine: Sendable {
    /// A command that ends earlier shows nothing.
    static let delay = Duration.seconds(1)
    /// The time between two changes of the line.
    private static let interval = Duration.milliseconds(250)

    /// What the lock protects.
    private struct State {
        var activity: String
        var done = 0
        var total: Int?
        /// Whether the line is on the terminal.
        var isShown = false
        var isOver = false
    }

    private let state: Mutex<State>
    private let start = ContinuousClock.now
    private let delay: Duration
    /// The columns that the line may take.
    private let width: Int
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - activity: what the command does first.
    ///   - isTerminal: whether there is somebody to read the line.
    ///   - delay: how long the command may take without a line.
    ///   - width: the columns that the line may take.
    ///   - write: receives the text for the terminal.
    init(
        _ activity: String,
        isTerminal: Bool = isatty(2) == 1,
        delay: Duration = ProgressLine.delay,
        width: Int = Terminal.width(of: 2) ?? 80,
        write: @escaping @Sendable (String) -> Void = {
            FileHandle.standardError.write(Data($0.utf8))
        }
    ) {
        self.state = Mutex(State(activity: activity))
        self.delay = delay
        self.width = width
        self.write = write
        guard isTerminal else { return }
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: delay / .seconds(1))
            while self.show() { Thread.sleep(forTimeInterval: Self.interval / .seconds(1)) }
        }
    }

    /// Runs a body while the line is shown.
    static func during<Value>(
        _ activity: String,
        body: (ProgressLine) throws -> Value
    ) rethrows -> Value {
        let progress = ProgressLine(activity)
        defer { progress.end() }
        return try body(progress)
    }

    /// What the store reports to.
    var report: StoreProgress {
        StoreProgress { activity, done, total in
            self.state.withLock { state in
                state.activity = activity
                state.done = done
                state.total = total
            }
        }
    }

    /// Removes the line. Nothing is written after this returns.
    func end() {
        self.state.withLock { state in
            state.isOver = true
            guard state.isShown else { return }
            state.isShown = false
            self.write("\r\u{1B}[K")
        }
    }

    /// Writes the line in place of the one before.
    /// - Returns: false if the command is over.
    private func show() -> Bool {
        self.state.withLock { state in
            guard !state.isOver else { return false }
            let seconds = Int((ContinuousClock.now - self.start) / .seconds(1))
            let count = state.total.map { ": \(Self.text(state.done)) of \(Self.text($0))" } ?? ""
            let line = "gatepost: \(state.activity)\(count) (\(seconds) s)"
            // A line of the terminal's whole width would begin the next one.
            self.write("\r\(line.prefix(max(self.width - 1, 0)))\u{1B}[K")
            state.isShown = true
            return true
        }
    }

    /// A number with a comma before each three digits.
    static func text(_ number: Int) -> String {
        let digits = Array(String(number))
        let groups = stride(from: digits.count, to: 0, by: -3).map { end in
            String(digits[max(end - 3, 0)..<end])
        }
        return groups.reversed().joined(separator: ",")
    }
}
