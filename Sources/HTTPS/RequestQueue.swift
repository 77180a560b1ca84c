import Dispatch
import Synchronization

/// The requests that wait for one of a limited number of threads.
final class RequestQueue: Sendable {
    /// A request and the callback for its result.
    struct Job: Sendable {
        var request: HTTPSRequest
        var answer: @Sendable (Result<HTTPSResponse, HTTPSError>) -> Void
    }

    /// The result of adding a job.
    enum Addition: Equatable {
        /// - needsThread: whether the caller must start a thread.
        case added(needsThread: Bool)
        /// The queue is closed; the job is not queued.
        case closed
    }

    private struct State {
        var jobs: [Job] = []
        /// Jobs that a thread has taken and not finished.
        var running = 0
        /// All threads, waiting or not.
        var threads = 0
        var isClosed = false
    }

    private let maximumThreads: Int
    private let state = Mutex(State())
    /// One signal for each job, and one for each thread after the queue is closed.
    private let signals = DispatchSemaphore(value: 0)

    init(maximumThreads: Int) {
        self.maximumThreads = maximumThreads
    }

    /// Queues a job.
    func add(_ job: Job) -> Addition {
        let addition: Addition = self.state.withLock { state in
            guard !state.isClosed else { return .closed }
            state.jobs.append(job)
            let needed = min(state.jobs.count + state.running, self.maximumThreads)
            let needsThread = needed > state.threads
            if needsThread { state.threads += 1 }
            return .added(needsThread: needsThread)
        }
        if addition != .closed { self.signals.signal() }
        return addition
    }

    /// Blocks until a job arrives.
    /// - Returns: nil when the queue is closed and empty: the thread then ends.
    func next() -> Job? {
        self.signals.wait()
        return self.state.withLock { state in
            guard !state.jobs.isEmpty else { return nil }
            state.running += 1
            return state.jobs.removeFirst()
        }
    }

    /// Marks a job that ``next()`` returned as finished, so that its thread counts as free.
    ///
    /// The thread calls this before it answers the job: a caller that sends its next request at
    /// once then finds this thread and its open connection.
    func finish() {
        self.state.withLock { $0.running -= 1 }
    }

    /// Accepts no more jobs; queued jobs are still performed.
    func close() {
        let threads = self.state.withLock { state in
            guard !state.isClosed else { return 0 }
            state.isClosed = true
            return state.threads
        }
        for _ in 0..<threads { self.signals.signal() }
    }
}
