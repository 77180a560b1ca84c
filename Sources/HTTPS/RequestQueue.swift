import Dispatch
import Synchronization

/// Requests that wait for one of some threads.
final class RequestQueue: Sendable {
    struct Job: Sendable {
        var request: HTTPSRequest
        var answer: @Sendable (Result<HTTPSResponse, HTTPSError>) -> Void
    }

    enum Addition: Equatable {
        /// - needsThread: whether the caller has to start another thread.
        case added(needsThread: Bool)
        case closed
    }

    private struct State {
        var jobs: [Job] = []
        /// Threads that wait for a job.
        var idle = 0
        var threads = 0
        var isClosed = false
    }

    private let maximumThreads: Int
    private let state = Mutex(State())
    /// One signal for each job, and at the end one for each thread.
    private let signals = DispatchSemaphore(value: 0)

    init(maximumThreads: Int) {
        self.maximumThreads = maximumThreads
    }

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

    /// Waits for a job. Nil ends the thread: the queue is closed, and no job is left.
    func next() -> Job? {
        self.state.withLock { $0.idle += 1 }
        self.signals.wait()
        return self.state.withLock { state in
            state.idle -= 1
            return state.jobs.isEmpty ? nil : state.jobs.removeFirst()
        }
    }

    /// Takes no more jobs; those that wait are done.
    func close() {
        let threads = self.state.withLock { state in
            guard !state.isClosed else { return 0 }
            state.isClosed = true
            return state.threads
        }
        for _ in 0..<threads { self.signals.signal() }
    }
}
