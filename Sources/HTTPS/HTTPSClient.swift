import Foundation

/// Sends HTTPS requests by the system's libcurl.
///
/// Every server's certificate is verified. Redirections are not followed. Proxies are those of the environment
/// (`HTTPS_PROXY`, `NO_PROXY`). Connections are kept and used again.
package final class HTTPSClient: Sendable {
    /// Limits of one request.
    package struct Limits: Sendable {
        /// Until a server has accepted the connection and finished the handshake, in seconds.
        package var connectSeconds: Int
        /// From the beginning of the request to the end of its answer, in seconds.
        package var totalSeconds: Int
        /// Octets of the answer's body; a hostile server could fill the memory without it.
        package var bodyOctets: Int

        package init(connectSeconds: Int, totalSeconds: Int, bodyOctets: Int) {
            self.connectSeconds = connectSeconds
            self.totalSeconds = totalSeconds
            self.bodyOctets = bodyOctets
        }
    }

    /// Requests at once; more wait. Microsoft answers few at once for one application.
    private static let maximumThreads = 4

    private let caFile: String?
    private let limits: Limits
    private let queue = RequestQueue(maximumThreads: HTTPSClient.maximumThreads)

    /// - Parameter caFile: certificates to trust instead of the system's, as a PEM file.
    package init(caFile: String?, limits: Limits) {
        self.caFile = caFile
        self.limits = limits
    }

    deinit {
        self.shutDown()
    }

    /// Ends the threads when they have answered what was asked. Later requests fail.
    package func shutDown() {
        self.queue.close()
    }

    /// - Throws: where no whole answer came within the limits.
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

    private func startThread() {
        let (queue, caFile, limits) = (self.queue, self.caFile, self.limits)
        Thread.detachNewThread {
            let curl = CurlHandle(caFile: caFile, limits: limits)
            while let job = queue.next() { job.answer(curl.perform(job.request)) }
        }
    }
}
