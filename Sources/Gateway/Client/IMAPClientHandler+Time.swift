import NIOCore
import Session
import Store

/// What comes when its time has come: clients that are silent too long, servers that are asked, and
/// connections that nobody uses.
extension IMAPClientHandler {
    /// How often a server that cannot idle is asked while a client does.
    private static let pollInterval = TimeAmount.seconds(60)
    /// How often a client is told how far a long command is.
    private static let reportInterval = TimeAmount.seconds(10)
    /// How long the response that is passing may take to its end when its account is revoked.
    private static let revocationTime = TimeAmount.milliseconds(300)
    /// A connection to a server by which nothing was asked from one look to the next but one is given up.
    private static let sweepInterval = TimeAmount.minutes(5)

    func checkClock() -> Bool {
        // Its client waits for the gateway, unless it is the client that takes nothing.
        if self.session.isTransferring, self.isWritable {
            self.clock.touch(at: self.eventLoop.now)
        }
        return !self.clock.isExpired(at: self.eventLoop.now)
    }

    func cancelTimers() {
        for task in [
            self.poll, self.report, self.revocation, self.sweep, self.silenceCheck,
            self.waitingLimit,
        ] {
            task?.cancel()
        }
    }

    /// Connections to servers are looked at as long as there are any.
    func scheduleSweep() {
        guard self.sweep == nil, !self.upstreams.isEmpty else { return }
        self.sweep = self.schedule(in: Self.sweepInterval) {
            $0.sweep = nil
            $0.deliver { $0.leaveUnusedServers() }
            $0.scheduleSweep()
        }
    }

    func schedulePoll() {
        self.poll?.cancel()
        self.poll = self.schedule(in: Self.pollInterval) {
            $0.deliver { $0.pollDue(at: .current) }
        }
    }

    func scheduleReport() {
        self.report?.cancel()
        self.report = self.schedule(in: Self.reportInterval) {
            $0.deliver { $0.reportDue(at: .current) }
        }
    }

    func scheduleRevocation() {
        self.revocation?.cancel()
        self.revocation = self.schedule(in: Self.revocationTime) {
            $0.session.revocationDue()
            $0.perform()
        }
    }
}
