import NIOCore

/// A client's end of a session, as its event loop knows it.
protocol LoopMember: AnyObject {
    func flush()
    func permissionsChanged()
    func shutDown()
    /// Nil before the login.
    var summary: SessionSummary? { get }
    func endByAdministrator()
    /// A minute is over: what was only counted is recorded.
    func auditDue()
    /// Whether a message is on its way that the gateway's end should not cut.
    var isSending: Bool { get }
}

/// The sessions of one event loop. Used on that loop only.
final class LoopState {
    private var handlers: [ObjectIdentifier: any LoopMember] = [:]
    private var unflushed: [any LoopMember] = []

    func add(_ handler: any LoopMember) {
        self.handlers[ObjectIdentifier(handler)] = handler
    }

    func remove(_ handler: any LoopMember) {
        self.handlers[ObjectIdentifier(handler)] = nil
    }

    /// Writes what a session has for its client and its servers once everything that has arrived
    /// on this loop is dealt with: the peers are woken once for many lines.
    func flushLater(_ handler: any LoopMember, on loop: any EventLoop) {
        self.unflushed.append(handler)
        guard self.unflushed.count == 1 else { return }
        loop.assumeIsolated().execute { self.flush() }
    }

    private func flush() {
        var handlers: [any LoopMember] = []
        swap(&handlers, &self.unflushed)
        for handler in handlers { handler.flush() }
    }

    func permissionsChanged() {
        for handler in self.handlers.values { handler.permissionsChanged() }
    }

    func auditDue() {
        for handler in self.handlers.values { handler.auditDue() }
    }

    var isSending: Bool { self.handlers.values.contains(where: \.isSending) }

    var sessions: [SessionSummary] { self.handlers.values.compactMap(\.summary) }

    /// - Returns: the session that is ended; nil where it is not on this loop.
    func endSession(_ number: UInt64) -> SessionSummary? {
        for handler in self.handlers.values {
            guard let summary = handler.summary, summary.session == number else { continue }
            handler.endByAdministrator()
            return summary
        }
        return nil
    }

    func shutDown() {
        for handler in self.handlers.values { handler.shutDown() }
    }
}
