import Testing

@testable import HTTPS

@Suite struct RequestQueueTests {
    private static let job = RequestQueue.Job(request: HTTPSRequest(url: "https://a.test/")) { _ in
    }

    @Test func `each queued job asks for a thread up to the limit`() {
        let queue = RequestQueue(maximumThreads: 2)
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(queue.add(Self.job) == .added(needsThread: false))
    }

    @Test func `a running job does not count as a free thread`() {
        let queue = RequestQueue(maximumThreads: 2)
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(queue.next() != nil)
        #expect(queue.add(Self.job) == .added(needsThread: true))
    }

    @Test func `a thread is free once its job is finished, before it asks for the next`() {
        let queue = RequestQueue(maximumThreads: 2)
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(queue.next() != nil)
        queue.finish()
        #expect(queue.add(Self.job) == .added(needsThread: false))
    }

    @Test func `a closed queue performs its jobs and takes no more`() {
        let queue = RequestQueue(maximumThreads: 1)
        #expect(queue.add(Self.job) == .added(needsThread: true))
        queue.close()
        #expect(queue.add(Self.job) == .closed)
        #expect(queue.next() != nil)
        #expect(queue.next() == nil)
    }
}
