import NIOCore
import Session

/// Clients and servers that are silent or slow for too long.
extension SubmissionHandler {
    func scheduleTimeout(_ loop: any EventLoop) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: self.clock.untilNextCheck) { bound.value.timePassed(loop) }
    }

    /// Tells the clock how far the session is.
    func watchClock() {
        self.clock.message = self.session.transactionNumber
        self.clock.octets = self.session.messageOctets
        self.clock.awaitsServer = self.session.awaitsUpstream
    }

    /// A session may outlast its client while a server has not answered a message.
    private func timePassed(_ loop: any EventLoop) {
        guard self.context != nil || self.upstream != nil else { return }
        self.takePermissions()
        if self.clock.isUpstreamExpired {
            self.session.upstreamTimeoutPassed()
        } else if self.clock.isExpired {
            self.session.idleTimeoutPassed()
            return self.perform()
        } else if self.clock.isUpstreamUnused {
            self.session.upstreamUnused()
        }
        self.perform()
        self.scheduleTimeout(loop)
    }
}
