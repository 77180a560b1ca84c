import NIOCore

/// A client's end of a session, as its event loop knows it.
protocol SessionHandle: AnyObject {
    func flush()
    func permissionsChanged()
    /// The work that was put off may go on.
    func workOn()
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
///
/// What concerns many sessions at once, as a change of the store does, and what one session has put off,
/// is done in turns of bounded time: between two turns the loop looks for what peers have sent. No octet
/// is judged by permissions older than those in force meanwhile, because each event of a session looks
/// for new ones first.
final class EventLoopSessions {
    private enum Work {
        case permissions
        case workOn
        case audit
    }

    /// How long a turn takes: with the one piece of work that may begin at its end less than the 20
    /// milliseconds for which nothing may hold a loop.
    private static let turn = TimeAmount.milliseconds(5)
    /// A loop runs what is due at once before it looks for what peers have sent.
    private static let pause = TimeAmount.microseconds(200)

    private var handlers: [ObjectIdentifier: any SessionHandle] = [:]
    private var unflushed: [any SessionHandle] = []
    /// Handlers, not by reference: who is gone by its turn has no work.
    private var waiting = CircularBuffer<(Work, ObjectIdentifier)>()
    private var isScheduled = false
    /// When the time is over for what has arrived in this round of the loop; nil before the first of it.
    private var endOfRound: NIODeadline?

    func add(_ handler: any SessionHandle) {
        self.handlers[ObjectIdentifier(handler)] = handler
    }

    func remove(_ handler: any SessionHandle) {
        self.handlers[ObjectIdentifier(handler)] = nil
    }

    /// Writes what a session has for its client and its servers once everything that has arrived
    /// on this loop is dealt with: the peers are woken once for many lines.
    func flushLater(_ handler: any SessionHandle, on loop: any EventLoop) {
        self.unflushed.append(handler)
        guard self.unflushed.count == 1 else { return }
        loop.assumeIsolated().execute { self.flush() }
    }

    private func flush() {
        var handlers: [any SessionHandle] = []
        swap(&handlers, &self.unflushed)
        for handler in handlers { handler.flush() }
    }

    // MARK: - Turns

    /// Whether what has arrived in this round of the loop may be dealt with at once. All sessions share the
    /// time of a round: a hundred servers may have sent much at the same time.
    func hasTime(on loop: any EventLoop) -> Bool {
        let now = NIODeadline.now()
        if let endOfRound = self.endOfRound { return now < endOfRound }
        self.endOfRound = now + Self.turn
        // Runs when everything that has arrived is handed over.
        loop.assumeIsolated().execute { self.endOfRound = nil }
        return true
    }

    func permissionsChanged(on loop: any EventLoop) {
        self.wait(.permissions, on: loop)
    }

    func auditDue(on loop: any EventLoop) {
        self.wait(.audit, on: loop)
    }

    /// Calls `workOn` of a session in one of the next turns.
    func workLater(_ handler: any SessionHandle, on loop: any EventLoop) {
        self.waiting.append((.workOn, ObjectIdentifier(handler)))
        self.schedule(on: loop)
    }

    /// Work for every session. What waits already is not put in line twice.
    private func wait(_ work: Work, on loop: any EventLoop) {
        var waiting = Set<ObjectIdentifier>()
        for (other, handler) in self.waiting where other == work { waiting.insert(handler) }
        for handler in self.handlers.keys where !waiting.contains(handler) {
            self.waiting.append((work, handler))
        }
        self.schedule(on: loop)
    }

    private func schedule(on loop: any EventLoop) {
        guard !self.isScheduled, !self.waiting.isEmpty else { return }
        self.isScheduled = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: Self.pause) { bound.value.takeTurn(on: loop) }
    }

    private func takeTurn(on loop: any EventLoop) {
        self.isScheduled = false
        let end = NIODeadline.now() + Self.turn
        // Whoever puts more off in this turn has it done in the next.
        for _ in 0..<self.waiting.count {
            guard NIODeadline.now() < end, let (work, id) = self.waiting.popFirst() else { break }
            guard let handler = self.handlers[id] else { continue }
            switch work {
            case .permissions: handler.permissionsChanged()
            case .workOn: handler.workOn()
            case .audit: handler.auditDue()
            }
        }
        // Behind what the sessions of this turn have for their peers: a turn that is due when that is written
        // would begin before the loop looks for what peers have sent.
        loop.assumeIsolated().execute { self.schedule(on: loop) }
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
