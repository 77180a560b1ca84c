import Testing

@testable import HTTPS

@Suite struct RequestQueueTests {
    private static let job = RequestQueue.Job(request: HTTPSRequest(url: "https://a.test/")) { _ in
    }

    @Test func `each queued job asks for a thread up to the limit`() {
        let queue = RequestQueue(maximumThreads: 2, maximumJobs: 3)
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(queue.add(Self.job) == .added(needsThread: false))
    }

    @Test func `a running job does not count as a free thread`() {
        let queue = RequestQueue(maximumThreads: 2, maximumJobs: 3)
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(queue.next() != nil)
        #expect(queue.add(Self.job) == .added(needsThread: true))
    }

    @Test func `a thread is free once its job is finished, before it asks for the next`() {
        let queue = RequestQueue(maximumThreads: 2, maximumJobs: 3)
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(queue.next() != nil)
        queue.finish()
        #expect(queue.add(Self.job) == .added(needsThread: false))
    }

    @Test func `a closed queue hands its jobs back and takes no more`() {
        let queue = RequestQueue(maximumThreads: 1, maximumJobs: 3)
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(!queue.isClosed)
        #expect(queue.close().count == 1)
        #expect(queue.isClosed)
        #expect(queue.add(Self.job) == .closed)
        #expect(queue.next() == nil)
        #expect(queue.close().isEmpty)
    }

    @Test func `a job above the limit is not queued`() {
        let queue = RequestQueue(maximumThreads: 1, maximumJobs: 2)
        #expect(queue.add(Self.job) == .added(needsThread: true))
        #expect(queue.add(Self.job) == .added(needsThread: false))
        #expect(queue.add(Self.job) == .full)
        #expect(queue.next() != nil)
        #expect(queue.add(Self.job) == .added(needsThread: false))
    }

    @Test func `the end of the threads is awaited by each caller`() async {
        let queue = RequestQueue(maximumThreads: 1, maximumJobs: 1)
        await queue.threadsEnded()
        #expect(queue.add(Self.job) == .added(needsThread: true))
        _ = queue.close()
        async let one: Void = queue.threadsEnded()
        async let other: Void = queue.threadsEnded()
        queue.threadEnded()
        _ = await (one, other)
    }
}
