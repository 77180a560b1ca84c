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
        /// Threads that are waiting for a job.
        var idle = 0
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
            let needsThread = state.jobs.count > state.idle && state.threads < self.maximumThreads
            if needsThread { state.threads += 1 }
            return .added(needsThread: needsThread)
        }
        if addition != .closed { self.signals.signal() }
        return addition
    }

    /// Blocks until a job arrives.
    /// - Returns: nil when the queue is closed and empty: the thread then ends.
    func next() -> Job? {
        self.state.withLock { $0.idle += 1 }
        self.signals.wait()
        return self.state.withLock { state in
            state.idle -= 1
            return state.jobs.isEmpty ? nil : state.jobs.removeFirst()
        }
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
