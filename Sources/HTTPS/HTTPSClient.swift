import Foundation

/// An HTTPS client on top of the system's libcurl.
///
/// It verifies every server certificate, follows no redirections, uses the proxies of the
/// environment (`HTTPS_PROXY`, `NO_PROXY`), and reuses connections.
package final class HTTPSClient: Sendable {
    package typealias Limits = HTTPSLimits

    /// The most concurrent requests; others wait. Microsoft throttles an application with more.
    private static let maximumThreads = 4

    private let caFile: String?
    private let limits: Limits
    private let queue = RequestQueue(maximumThreads: HTTPSClient.maximumThreads)

    /// - Parameter caFile: a PEM file of authorities to trust instead of the system's.
    package init(caFile: String?, limits: Limits) {
        self.caFile = caFile
        self.limits = limits
    }

    deinit {
        self.shutDown()
    }

    /// Ends the threads after the requests that are queued. Later requests fail.
    package func shutDown() {
        self.queue.close()
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
                job.answer(.failure(HTTPSError("the HTTPS client is shut down")))
            }
        }
        return try result.get()
    }

    /// Starts a thread that performs requests until the queue is closed.
    private func startThread() {
        let (queue, caFile, limits) = (self.queue, self.caFile, self.limits)
        Thread.detachNewThread {
            let curl = CurlHandle(caFile: caFile, limits: limits)
            while let job = queue.next() {
                let result = curl.perform(job.request)
                queue.finish()
                job.answer(result)
            }
        }
    }
}
