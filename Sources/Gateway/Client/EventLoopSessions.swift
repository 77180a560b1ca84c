import NIOCore

/// A session as its event loop sees it. All members are used on that loop.
protocol SessionHandle: AnyObject {
    /// Flushes buffered octets to the client and the servers.
    func flush()
    /// Other permissions are in force.
    func permissionsChanged()
    /// Continues with deferred input.
    func workOn()
    /// The gateway stops.
    func shutDown()
    /// The session as administrators see it; nil before the login.
    var summary: SessionSummary? { get }
    /// An administrator ends the session.
    func endByAdministrator()
    /// A minute has passed: records the events that were only counted.
    func auditDue()
    /// Whether a message is in transit that the gateway's end should not interrupt.
    var isSending: Bool { get }
}

/// The sessions of one event loop. Used on that loop only.
///
/// Work for many sessions, such as a change of the store, and input that a session has deferred run
/// in turns of bounded time. Between two turns the event loop polls its sockets. No octet is judged
/// by old permissions meanwhile, because each event of a session checks for new ones first.
final class EventLoopSessions {
    /// A kind of work that waits for a turn.
    private enum Work {
        /// Calls `permissionsChanged`.
        case permissions
        /// Calls `workOn`.
        case workOn
        /// Calls `auditDue`.
        case audit
    }

    /// The length of a turn. Together with the one piece of work that may begin at its end, it
    /// stays below the 20 milliseconds for which nothing may hold an event loop.
    private static let turn = TimeAmount.milliseconds(5)
    /// The pause between two turns. Without it the event loop would run the next turn before it
    /// polls its sockets.
    private static let pause = TimeAmount.microseconds(200)

    /// All sessions of the loop.
    private var handlers: [ObjectIdentifier: any SessionHandle] = [:]
    /// The sessions with octets to flush in this round.
    private var unflushed: [any SessionHandle] = []
    /// The work that waits. Sessions are not retained: a session that has ended before its turn has
    /// no work.
    private var waiting = CircularBuffer<(Work, ObjectIdentifier)>()
    /// Whether the next turn is scheduled.
    private var isScheduled = false
    /// When the time for input of this round of the event loop ends; nil before the first input.
    private var endOfRound: NIODeadline?

    /// Adds a session when its channel becomes part of the loop.
    func add(_ handler: any SessionHandle) {
        self.handlers[ObjectIdentifier(handler)] = handler
    }

    /// Removes a session that is over.
    func remove(_ handler: any SessionHandle) {
        self.handlers[ObjectIdentifier(handler)] = nil
    }

    /// Flushes a session once all input of this round is processed, so that its peers wake once for
    /// many lines.
    func flushLater(_ handler: any SessionHandle, on loop: any EventLoop) {
        self.unflushed.append(handler)
        guard self.unflushed.count == 1 else { return }
        loop.assumeIsolated().execute { self.flush() }
    }

    /// Flushes the sessions of this round; called once per round.
    private func flush() {
        var handlers: [any SessionHandle] = []
        swap(&handlers, &self.unflushed)
        for handler in handlers { handler.flush() }
    }

    // MARK: - Turns

    /// Whether input of this round of the event loop may be processed at once. All sessions share
    /// the time of a round, because a hundred servers may send at the same time.
    func hasTime(on loop: any EventLoop) -> Bool {
        let now = NIODeadline.now()
        if let endOfRound = self.endOfRound { return now < endOfRound }
        self.endOfRound = now + Self.turn
        // Runs after all sockets of this round were read.
        loop.assumeIsolated().execute { self.endOfRound = nil }
        return true
    }

    /// Schedules the change of permissions for every session.
    func permissionsChanged(on loop: any EventLoop) {
        self.wait(.permissions, on: loop)
    }

    /// Schedules the record of counted events for every session.
    func auditDue(on loop: any EventLoop) {
        self.wait(.audit, on: loop)
    }

    /// Calls `workOn` of a session in one of the next turns.
    func workLater(_ handler: any SessionHandle, on loop: any EventLoop) {
        self.waiting.append((.workOn, ObjectIdentifier(handler)))
        self.schedule(on: loop)
    }

    /// Schedules work for every session that does not wait for the same work already.
    private func wait(_ work: Work, on loop: any EventLoop) {
        var waiting = Set<ObjectIdentifier>()
        for (other, handler) in self.waiting where other == work { waiting.insert(handler) }
        for handler in self.handlers.keys where !waiting.contains(handler) {
            self.waiting.append((work, handler))
        }
        self.schedule(on: loop)
    }

    /// Schedules the next turn if work waits.
    private func schedule(on loop: any EventLoop) {
        guard !self.isScheduled, !self.waiting.isEmpty else { return }
        self.isScheduled = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: Self.pause) { bound.value.takeTurn(on: loop) }
    }

    /// Runs waiting work until the turn's time has passed.
    private func takeTurn(on loop: any EventLoop) {
        self.isScheduled = false
        let end = NIODeadline.now() + Self.turn
        // Work that a session defers within this turn runs in the next one.
        for _ in 0..<self.waiting.count {
            guard NIODeadline.now() < end, let (work, id) = self.waiting.popFirst() else { break }
            guard let handler = self.handlers[id] else { continue }
            switch work {
            case .permissions: handler.permissionsChanged()
            case .workOn: handler.workOn()
            case .audit: handler.auditDue()
            }
        }
        // After the flushes of this turn: a turn that is due before they are done would begin before
        // the loop polls its sockets.
        loop.assumeIsolated().execute { self.schedule(on: loop) }
    }

    /// Whether a session has a message in transit.
    var isSending: Bool { self.handlers.values.contains(where: \.isSending) }

    /// The sessions after their login.
    var sessions: [SessionSummary] { self.handlers.values.compactMap(\.summary) }

    /// - Returns: the session that was ended; nil if it is not on this loop.
    func endSession(_ number: UInt64) -> SessionSummary? {
        for handler in self.handlers.values {
            guard let summary = handler.summary, summary.session == number else { continue }
            handler.endByAdministrator()
            return summary
        }
        return nil
    }

    /// Ends every session, at once and without turns.
    func shutDown() {
        for handler in self.handlers.values { handler.shutDown() }
    }
}
