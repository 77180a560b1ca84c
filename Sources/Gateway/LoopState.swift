import NIOCore

/// The sessions of one event loop. Used on that loop only.
final class LoopState {
    private var handlers: [ObjectIdentifier: ClientHandler] = [:]
    private var unflushed: [ClientHandler] = []

    func add(_ handler: ClientHandler) {
        self.handlers[ObjectIdentifier(handler)] = handler
    }

    func remove(_ handler: ClientHandler) {
        self.handlers[ObjectIdentifier(handler)] = nil
    }

    /// Writes what a session has for its client and its servers once everything that has arrived
    /// on this loop is dealt with: the peers are woken once for many lines.
    func flushLater(_ handler: ClientHandler, on loop: any EventLoop) {
        self.unflushed.append(handler)
        guard self.unflushed.count == 1 else { return }
        loop.assumeIsolated().execute { self.flush() }
    }

    private func flush() {
        var handlers: [ClientHandler] = []
        swap(&handlers, &self.unflushed)
        for handler in handlers { handler.flush() }
    }

    func permissionsChanged() {
        for handler in self.handlers.values { handler.permissionsChanged() }
    }

    func shutDown() {
        for handler in self.handlers.values { handler.shutDown() }
    }
}
