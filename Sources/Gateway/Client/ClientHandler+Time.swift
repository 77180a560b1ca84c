import NIOCore
import Session

/// The client's timeout, and tasks for later. No task outlives its session: ``leaveLoop()`` cancels
/// them, because each one retains the handler.
extension ClientHandler {
    /// Schedules the next check of the clock.
    func scheduleTimeout() {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let time = self.clock.untilNextCheck(at: self.eventLoop.now)
        self.timeout = self.eventLoop.scheduleTask(in: time) { bound.value.timePassed() }
    }

    /// Checks the clock, and schedules the next check.
    private func timePassed() {
        self.timeout = nil
        self.takePermissions()
        guard self.checkClock() else {
            self.session.idleTimeoutPassed()
            return self.perform()
        }
        self.perform()
        if !self.isOver { self.scheduleTimeout() }
    }

    /// Schedules work on this event loop.
    /// - Returns: nil, without scheduling, if the client has gone.
    func schedule(
        in time: TimeAmount,
        work: @escaping (Self) -> Void
    ) -> Scheduled<Void>? {
        guard self.context != nil else { return nil }
        let bound = NIOLoopBound((self, work), eventLoop: self.eventLoop)
        return self.eventLoop.scheduleTask(in: time) {
            let (handler, work) = bound.value
            work(handler)
        }
    }
}
