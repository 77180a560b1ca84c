import NIOCore

/// The sessions of one event loop. Used on that loop only.
final class LoopState {
    private var handlers: [ObjectIdentifier: ClientHandler] = [:]

    func add(_ handler: ClientHandler) {
        self.handlers[ObjectIdentifier(handler)] = handler
    }

    func remove(_ handler: ClientHandler) {
        self.handlers[ObjectIdentifier(handler)] = nil
    }

    func permissionsChanged() {
        for handler in self.handlers.values { handler.permissionsChanged() }
    }

    func shutDown() {
        for handler in self.handlers.values { handler.shutDown() }
    }
}
