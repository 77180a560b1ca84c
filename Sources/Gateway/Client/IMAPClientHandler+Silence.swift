import Access
import NIOCore
import Session
import Store

/// Silence of servers that owe an answer after the login.
extension IMAPClientHandler {
    /// A server that was silent for too long.
    struct Silence {
        /// When it may be asked again.
        var until: NIODeadline
        /// The server that was silent; an account that has moved to another one is asked at once.
        var server: UpstreamAccount.Server?
    }

    /// Silence checks within the time for an answer; no client waits much longer than that time.
    private static let looks: Int64 = 12

    /// Checks servers as long as one owes an answer.
    func scheduleSilenceCheck() {
        guard self.silenceCheck == nil else { return }
        let time = self.gateway.configuration.limits.upstreamAnswerTime
        self.silenceCheck = self.schedule(in: .nanoseconds(time.nanoseconds / Self.looks)) {
            $0.silenceCheckDue()
        }
    }

    /// Tells the session which servers have exceeded their time.
    private func silenceCheckDue() {
        self.silenceCheck = nil
        self.takePermissions()
        var isAwaiting = false
        for account in self.upstreams.keys.sorted() {
            guard let awaited = self.session.awaitedAnswer(of: account) else { continue }
            isAwaiting = true
            guard self.upstreams[account]?.isSilent(awaited) ?? false else { continue }
            // The same time again: a client spends at most half of its time on a dead server.
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
