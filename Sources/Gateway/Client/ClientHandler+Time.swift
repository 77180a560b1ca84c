import Access
import NIOCore
import Session
import Store

/// What comes when its time has come: clients that are silent too long, servers that are asked, and
/// connections that nobody uses.
extension ClientHandler {
    /// How often a server that cannot idle is asked while a client does.
    private static let pollInterval = TimeAmount.seconds(60)
    /// How often a client is told how far a long command is.
    private static let reportInterval = TimeAmount.seconds(10)
    /// How long the response that is passing may take to its end when its account is revoked.
    private static let revocationTime = TimeAmount.milliseconds(300)
    /// A connection to a server by which nothing was asked from one look to the next but one is given up.
    private static let sweepInterval = TimeAmount.minutes(5)

    func scheduleTimeout(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        self.timeout = context.eventLoop.scheduleTask(in: self.clock.untilNextCheck) {
            bound.value.timePassed()
        }
    }

    /// Connections to servers are looked at as long as there are any.
    func scheduleSweep() {
        guard self.sweep == nil, !self.upstreams.isEmpty, let loop = self.context?.eventLoop else {
            return
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.sweep = loop.scheduleTask(in: Self.sweepInterval) {
            let handler = bound.value
            handler.sweep = nil
            handler.takePermissions()
            handler.session.leaveUnusedServers()
            handler.perform()
            handler.scheduleSweep()
        }
    }

    func schedulePoll() {
        guard let loop = self.context?.eventLoop else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.poll?.cancel()
        self.poll = loop.scheduleTask(in: Self.pollInterval) { bound.value.pollDue() }
    }

    func scheduleReport() {
        guard let loop = self.context?.eventLoop else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.report?.cancel()
        self.report = loop.scheduleTask(in: Self.reportInterval) {
            bound.value.takePermissions()
            bound.value.session.reportDue(at: .current)
            bound.value.perform()
        }
    }

    func scheduleRevocation() {
        guard let loop = self.context?.eventLoop else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        self.revocation?.cancel()
        self.revocation = loop.scheduleTask(in: Self.revocationTime) {
            bound.value.session.revocationDue()
            bound.value.perform()
        }
    }

    private func pollDue() {
        self.takePermissions()
        self.session.pollDue(at: .current)
        self.perform()
    }

    private func timePassed() {
        guard let context = self.context else { return }
        // Its client waits for the gateway, unless it is the client that takes nothing.
        if self.session.isTransferring, context.channel.isWritable { self.clock.touch() }
        if self.clock.isExpired {
            self.session.idleTimeoutPassed()
            return self.perform()
        }
        self.scheduleTimeout(context)
    }
}

/// Servers that are logged in and owe an answer.
extension ClientHandler {
    /// A server that was silent for too long.
    struct Silence {
        /// Until when it is not asked again.
        var until: NIODeadline
        /// Where it was: an account that moves is asked at once.
        var server: UpstreamAccount.Server?
    }

    /// So many looks in the time that a server has for an answer: none waits much longer than that.
    private static let looks: Int64 = 12

    /// Servers are looked at as long as one owes an answer.
    func scheduleSilenceCheck() {
        guard self.silenceCheck == nil, let loop = self.context?.eventLoop else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let time = self.gateway.configuration.limits.upstreamAnswerTime
        self.silenceCheck = loop.scheduleTask(in: .nanoseconds(time.nanoseconds / Self.looks)) {
            bound.value.silenceCheckDue()
        }
    }

    private func silenceCheckDue() {
        self.silenceCheck = nil
        self.takePermissions()
        var isAwaiting = false
        for account in self.upstreams.keys.sorted() {
            guard let awaited = self.session.awaitedAnswer(of: account) else { continue }
            isAwaiting = true
            guard self.upstreams[account]?.isSilent(awaited) ?? false else { continue }
            // As long as it was waited for: at most half of a client's time goes to a dead server.
            self.silent[account] = Silence(
                until: .now() + self.gateway.configuration.limits.upstreamAnswerTime,
                server: self.permissions.endpoints[account]?.server
            )
            self.session.upstreamSilent(account)
        }
        self.perform()
        if isAwaiting { self.scheduleSilenceCheck() }
    }

    /// Whether an account's server was silent for too long a moment ago.
    func isSilent(_ account: AccountID) -> Bool {
        guard let silence = self.silent[account] else { return false }
        if silence.until > .now(), silence.server == self.permissions.endpoints[account]?.server {
            return true
        }
        self.silent[account] = nil
        return false
    }
}
