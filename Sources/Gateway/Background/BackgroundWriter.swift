import NIOPosix

/// A thread that performs blocking reads and writes off the event loops, in the order of their
/// submission.
///
/// A gateway has two (``GatewayContext``): one for the store, where each task is a transaction, and
/// one for the files of sent copies, which take as long as the disk does and must not delay a
/// client's SUBSCRIBE.
final class BackgroundWriter: Sendable {
    /// One thread, so that tasks keep their order.
    private let pool = NIOThreadPool(numberOfThreads: 1)

    /// Starts the thread; earlier tasks wait until then.
    func start() {
        self.pool.start()
    }

    /// Waits for the submitted tasks. A task that is submitted later runs on the submitting thread,
    /// so that sessions which end last are still recorded.
    func stop() async throws {
        // The pool hands what still waits to other threads when it shuts down: wait for it here.
        await withCheckedContinuation { continuation in
            self.pool.submit { _ in continuation.resume() }
        }
        try await self.pool.shutdownGracefully()
    }

    /// Queues a task. May be called on any thread.
    func submit(_ work: @escaping @Sendable () -> Void) {
        self.pool.submit { _ in work() }
    }
}
