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
        /// As many jobs as the limit allows wait; the job is not queued.
        case full
    }

    private struct State {
        var jobs: [Job] = []
        /// Jobs that a thread has taken and not finished.
        var running = 0
        /// All threads, waiting or not.
        var threads = 0
        var isClosed = false
        /// The callers that wait until the last thread of a closed queue has ended.
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let maximumThreads: Int
    private let maximumJobs: Int
    private let state = Mutex(State())
    /// One signal for each job, and one for each thread after the queue is closed.
    private let signals = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - maximumThreads: the most threads.
    ///   - maximumJobs: the most jobs that wait for a thread.
    init(maximumThreads: Int, maximumJobs: Int) {
        self.maximumThreads = maximumThreads
        self.maximumJobs = maximumJobs
    }

    /// Whether ``close()`` was called: requests in flight must end.
    var isClosed: Bool { self.state.withLock(\.isClosed) }

    /// Queues a job.
    func add(_ job: Job) -> Addition {
        let addition: Addition = self.state.withLock { state in
            guard !state.isClosed else { return .closed }
            guard state.jobs.count < self.maximumJobs else { return .full }
            state.jobs.append(job)
            let needed = min(state.jobs.count + state.running, self.maximumThreads)
            let needsThread = needed > state.threads
            if needsThread { state.threads += 1 }
            return .added(needsThread: needsThread)
        }
        if case .added = addition { self.signals.signal() }
        return addition
    }

    /// Blocks until a job arrives.
    /// - Returns: nil when the queue is closed: the thread then ends and calls ``threadEnded()``.
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

    /// Accepts no more jobs.
    /// - Returns: the jobs that waited for a thread: the caller answers them.
    func close() -> [Job] {
        let (jobs, threads) = self.state.withLock { state -> ([Job], Int) in
            guard !state.isClosed else { return ([], 0) }
            state.isClosed = true
            defer { state.jobs = [] }
            return (state.jobs, state.threads)
        }
        for _ in 0..<threads { self.signals.signal() }
        return jobs
    }

    /// Counts a thread that has ended.
    func threadEnded() {
        let waiters = self.state.withLock { state in
            state.threads -= 1
            guard state.threads == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until all threads of a closed queue have ended.
    func threadsEnded() async {
        await withCheckedContinuation { continuation in
            let isDone = self.state.withLock { state in
                if state.threads > 0 { state.waiters.append(continuation) }
                return state.threads == 0
            }
            if isDone { continuation.resume() }
        }
    }
}
