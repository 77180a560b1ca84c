import Access
import Foundation
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// The exchange with the gateways of the other nodes that share the store: counts that add up, and
/// requests of administrators' commands.
///
/// It runs on a thread of its own. If the database cannot be reached, the gateway goes on with its
/// own counts and the last ones that it read.
final class OtherNodes: Sendable {
    /// The time between two exchanges of counts. A count is written after at most this time, and read
    /// by the other nodes after as much again, so a limit holds there a second later.
    private static let interval = Duration.milliseconds(500)
    /// The longest wait for a request, and for the end of the thread.
    private static let tick = Duration.milliseconds(200)
    /// How long the event loops may take for a request.
    private static let patience = DispatchTimeInterval.seconds(2)
    /// A failure is logged at once, and then at most once in this period.
    private static let logPeriod = Duration.seconds(60)

    /// The state of the thread.
    private struct Run {
        var isOver = false
        /// Resumed when the thread has ended.
        var stopped: CheckedContinuation<Void, Never>?
        var isRunning = false
    }

    /// The counts of this gateway and of the others.
    let counts: SharedCounts
    private let exchange: NodeExchange
    private let logger: Logger
    private let run = Mutex(Run())

    /// - Parameter counts: empty; a test gives them a clock.
    /// - Returns: nil for a store that has one gateway.
    init?(_ store: PermissionStore, counts: SharedCounts = SharedCounts(), logger: Logger) {
        guard let exchange = store.exchange() else { return nil }
        self.exchange = exchange
        self.counts = counts
        self.logger = logger
    }

    /// Starts the thread.
    /// - Parameters:
    ///   - requests: performs the requests of commands.
    ///   - loop: where their results arrive.
    func start(_ requests: SessionRequests, on loop: any EventLoop) {
        self.run.withLock { $0.isRunning = true }
        Thread.detachNewThread {
            var turn = Turn()
            while !self.run.withLock(\.isOver) {
                if turn.isDue { self.exchangeCounts(&turn) }
                guard self.exchange.wait(atMost: Self.tick) || turn.mayBeAsked else { continue }
                self.answer(requests, on: loop, turn: &turn)
            }
            // What was counted since the last exchange. A database that does not answer delays no stop.
            if turn.logged == nil { self.exchangeCounts(&turn) }
            self.exchange.close()
            let stopped = self.run.withLock { run in
                run.isRunning = false
                return run.stopped
            }
            stopped?.resume()
        }
    }

    /// Writes the last counts, and ends the thread.
    func stop() async {
        await withCheckedContinuation { continuation in
            let isRunning = self.run.withLock { run in
                run.isOver = true
                if run.isRunning { run.stopped = continuation }
                return run.isRunning
            }
            if !isRunning { continuation.resume() }
        }
    }

    /// What the thread keeps between two turns.
    private struct Turn {
        /// When the next exchange is due.
        var due = ContinuousClock.now
        /// Whether a command may have asked before the connection was made.
        var mayBeAsked = false
        /// When a failure was logged; nil while the exchange works.
        var logged: ContinuousClock.Instant?
        /// The last requests that were performed, so that none is performed twice.
        var performed: [Int64] = []

        var isDue: Bool { ContinuousClock.now >= self.due }
    }

    /// Writes this gateway's counts, and reads those of the others.
    private func exchangeCounts(_ turn: inout Turn) {
        turn.due = .now + Self.interval
        do {
            let report = try self.exchange.exchange(self.counts.changes(all:))
            self.counts.receive(report)
            if report.isWhole { turn.mayBeAsked = true }
            guard turn.logged != nil else { return }
            turn.logged = nil
            self.logger.notice("limits count together with the other nodes again")
        } catch {
            self.counts.prune()
            if let last = turn.logged, .now - last < Self.logPeriod { return }
            turn.logged = .now
            self.logger.warning(
                "limits count on this node alone, with the last counts of the others, until the database can be reached",
                metadata: ["error": "\(error)"]
            )
        }
    }

    /// Performs the requests of commands. One that the event loops do not perform in time gets no
    /// answer: the command names this node.
    private func answer(_ requests: SessionRequests, on loop: any EventLoop, turn: inout Turn) {
        // After a failure, the next connection may have been asked before.
        turn.mayBeAsked = false
        do {
            for request in try self.exchange.requests() where !turn.performed.contains(request.id) {
                turn.performed = turn.performed.suffix(99) + [request.id]
                let result = Mutex<ControlMessage.Answer?>(nil)
                let done = DispatchSemaphore(value: 0)
                requests.answer(end: request.session, actor: request.actor, on: loop)
                    .whenSuccess { answer in
                        result.withLock { $0 = answer }
                        done.signal()
                    }
                guard done.wait(timeout: .now() + Self.patience) == .success,
                    let answer = result.withLock({ $0 })
                else { continue }
                let text = String(decoding: try JSONEncoder().encode(answer), as: UTF8.self)
                try self.exchange.answer(request, text: text)
            }
        } catch {
            self.logger.warning(
                "cannot answer an administrator's command",
                metadata: ["error": "\(error)"]
            )
        }
    }
}
