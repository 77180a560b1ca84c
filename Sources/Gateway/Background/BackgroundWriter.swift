import NIOPosix

/// A thread that reads and writes off the event loops, one thing after the other, in the order in which they were asked
/// for.
///
/// A gateway has two (``GatewayContext``): one for the store, where each thing is a transaction, and one for the files of
/// sent copies, whose octets take as long as the disk does and must not hold up a client's SUBSCRIBE.
final class BackgroundWriter: Sendable {
    private let pool = NIOThreadPool(numberOfThreads: 1)

    func start() {
        self.pool.start()
    }

    /// Waits for what was asked for before. What is asked for later is done at once, on the thread that asks: sessions
    /// that end last are recorded, too.
    func stop() async throws {
        // The pool hands what still waits to other threads when it shuts down: wait for it here.
        await withCheckedContinuation { continuation in
            self.pool.submit { _ in continuation.resume() }
        }
        try await self.pool.shutdownGracefully()
    }

    func submit(_ work: @escaping @Sendable () -> Void) {
        self.pool.submit { _ in work() }
    }
}
