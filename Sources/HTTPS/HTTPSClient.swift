import Foundation

/// An HTTPS client on top of the system's libcurl.
///
/// It verifies every server certificate, follows no redirections, uses the proxies of the
/// environment (`HTTPS_PROXY`, `NO_PROXY`), and reuses connections.
package final class HTTPSClient: Sendable {
    package typealias Limits = HTTPSLimits

    /// The most concurrent requests; others wait. Microsoft throttles an application with more.
    private static let maximumThreads = 4
    /// The most requests that wait for a thread. An import of permissions sends its requests one
    /// after the other, and logins share one token request: more requests are an error of a caller,
    /// and would fill the memory while a server does not answer.
    private static let maximumJobs = 256
    /// The error of requests during and after the shutdown.
    private static let closed = HTTPSError("the HTTPS client is shut down")

    private let caFile: String?
    private let limits: Limits
    private let queue = RequestQueue(
        maximumThreads: HTTPSClient.maximumThreads,
        maximumJobs: HTTPSClient.maximumJobs
    )

    /// - Parameter caFile: a PEM file of authorities to trust instead of the system's.
    package init(caFile: String?, limits: Limits) {
        self.caFile = caFile
        self.limits = limits
    }

    deinit {
        self.shutDown()
    }

    /// Aborts the requests in flight within about a second, and ends the threads. Queued and later
    /// requests fail. Returns at once: ``threadsEnded()`` waits.
    package func shutDown() {
        for job in self.queue.close() { job.answer(.failure(Self.closed)) }
    }

    /// Waits, after ``shutDown()``, until every request is answered and every thread has ended.
    package func threadsEnded() async {
        await self.queue.threadsEnded()
    }

    /// Sends a request and returns its response, whatever its status is.
    /// - Throws: ``HTTPSError`` if no complete response arrived within the limits.
    package func send(_ request: HTTPSRequest) async throws(HTTPSError) -> HTTPSResponse {
        let result = await withCheckedContinuation { continuation in
            let job = RequestQueue.Job(request: request) { continuation.resume(returning: $0) }
            switch self.queue.add(job) {
            case .added(let needsThread):
                if needsThread { self.startThread() }
            case .closed:
                job.answer(.failure(Self.closed))
            case .full:
                job.answer(
                    .failure(HTTPSError("more than \(Self.maximumJobs) requests wait already"))
                )
            }
        }
        return try result.get()
    }

    /// Starts a thread that performs requests until the queue is closed.
    private func startThread() {
        let (queue, caFile, limits) = (self.queue, self.caFile, self.limits)
        Thread.detachNewThread {
            do {
                let curl = CurlHandle(caFile: caFile, limits: limits) { queue.isClosed }
                while let job = queue.next() {
                    let result = curl.perform(job.request)
                    queue.finish()
                    job.answer(result)
                }
            }
            // The scope has ended, so the connections are closed.
            queue.threadEnded()
        }
    }
}
