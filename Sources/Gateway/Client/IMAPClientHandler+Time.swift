import NIOCore
import Session
import Store

/// Timers of an IMAP session: the client's silence, polling of servers, and unused connections.
extension IMAPClientHandler {
    /// How often a server without IDLE is polled while the client idles.
    private static let pollInterval = TimeAmount.seconds(60)
    /// How often a client is told the progress of a long command.
    private static let reportInterval = TimeAmount.seconds(10)
    /// How long a response in transit may take to its end after its account was revoked.
    private static let revocationTime = TimeAmount.milliseconds(300)
    /// How often unused connections are looked for. A connection without a command between two
    /// looks is closed.
    private static let sweepInterval = TimeAmount.minutes(5)

    /// A client that waits for a transfer, and takes octets, is not silent.
    func checkClock() -> Bool {
        // During a transfer the client waits for the gateway, unless it is the client that takes no octets.
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

    /// Looks for unused connections as long as there are connections.
    func scheduleSweep() {
        guard self.sweep == nil, !self.upstreams.isEmpty else { return }
        self.sweep = self.schedule(in: Self.sweepInterval) {
            $0.sweep = nil
            $0.deliver { $0.leaveUnusedServers() }
            $0.scheduleSweep()
        }
    }

    /// Polls servers after the interval; a new call starts the interval anew.
    func schedulePoll() {
        self.poll?.cancel()
        self.poll = self.schedule(in: Self.pollInterval) {
            $0.deliver { $0.pollDue(at: .current) }
        }
    }

    /// Reports progress after the interval.
    func scheduleReport() {
        self.report?.cancel()
        self.report = self.schedule(in: Self.reportInterval) {
            $0.deliver { $0.reportDue(at: .current) }
        }
    }

    /// Ends the response of a revoked account after its time.
    func scheduleRevocation() {
        self.revocation?.cancel()
        self.revocation = self.schedule(in: Self.revocationTime) {
            $0.session.revocationDue()
            $0.perform()
        }
    }
}
