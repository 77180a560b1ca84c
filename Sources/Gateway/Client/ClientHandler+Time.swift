import NIOCore
import Session

/// The clock, and work for later.
extension ClientHandler {
    func scheduleTimeout() {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let time = self.clock.untilNextCheck(at: self.eventLoop.now)
        self.timeout = self.eventLoop.scheduleTask(in: time) { bound.value.timePassed() }
    }

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

    /// Runs work of a session whose client is there.
    func schedule(
        in time: TimeAmount,
        _ work: @escaping (Self) -> Void
    ) -> Scheduled<Void>? {
        guard self.context != nil else { return nil }
        let bound = NIOLoopBound((self, work), eventLoop: self.eventLoop)
        return self.eventLoop.scheduleTask(in: time) {
            let (handler, work) = bound.value
            work(handler)
        }
    }
}
