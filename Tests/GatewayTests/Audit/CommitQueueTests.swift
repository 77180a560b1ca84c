import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Gateway

/// Callers that wait for their records.
@Suite struct CommitQueueTests {
    private let loop = NIOAsyncTestingEventLoop()

    private func commit(
        _ number: UInt64,
        done: @escaping @Sendable (Bool) -> Void = { _ in }
    ) -> CommitQueue.Commit {
        CommitQueue.Commit(number: number, loop: self.loop, done: done)
    }

    @Test func `callers leave in the order of their records`() async {
        var queue = CommitQueue()
        for number in 1...5 { queue.append(self.commit(UInt64(number))) }
        #expect(queue.take(through: 0).isEmpty)
        #expect(queue.take(through: 3).map(\.number) == [1, 2, 3])
        #expect(queue.take(through: 3).isEmpty)
        #expect(queue.takeAll().map(\.number) == [4, 5])
        #expect(queue.takeAll().isEmpty)
        await self.loop.shutdownGracefully()
    }

    @Test func `a caller waits for fifty ticks at most`() async {
        var queue = CommitQueue()
        queue.append(self.commit(1))
        for _ in 1...20 { #expect(queue.nextTick().isEmpty) }
        queue.append(self.commit(2))
        for _ in 21...50 { #expect(queue.nextTick().isEmpty) }
        #expect(queue.nextTick().map(\.number) == [1])
        for _ in 52...70 { #expect(queue.nextTick().isEmpty) }
        #expect(queue.nextTick().map(\.number) == [2])
        await self.loop.shutdownGracefully()
    }

    @Test func `many callers are answered in turns, in order`() async {
        let told = Mutex<[UInt64]>([])
        let commits = (0..<100).map { number in
            self.commit(number) { isCommitted in
                #expect(isCommitted)
                told.withLock { $0.append(number) }
            }
        }
        commits.finish(isCommitted: true)
        await self.loop.run()
        #expect(told.withLock { $0 } == Array(0..<32))
        await self.loop.advanceTime(by: .milliseconds(1))
        #expect(told.withLock { $0 } == Array(0..<100))
        await self.loop.shutdownGracefully()
    }
}
