import Access
import NIOCore
import Session
import Store

/// The client's timeout, and tasks for later. No task outlives its session: ``leaveLoop()`` cancels
/// them, because each one retains the handler.
extension ClientHandler {
    /// Schedules the next check of the clock.
    func scheduleTimeout() {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let time = self.clock.untilNextCheck(at: self.eventLoop.now)
        self.timeout = self.eventLoop.scheduleTask(in: time) { bound.value.timePassed() }
    }

    /// Ends the session when its credential expires.
    func scheduleLoginEnd() {
        guard let expires = self.loginEnd.expires else { return }
        // A clock that is set back is noticed when the time has passed. NIO takes no longer time than this.
        let seconds = min(max(expires.seconds - Moment.current.seconds, 0), 86_400)
        self.expiry = self.schedule(in: .seconds(seconds)) { handler in
            handler.takePermissions()
            handler.perform()
            // A session that has ended here may wait for its client, or for a server.
            if let expires = handler.loginEnd.expires, Moment.current < expires {
                handler.scheduleLoginEnd()
            }
        }
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
