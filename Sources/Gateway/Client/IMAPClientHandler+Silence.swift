import Access
import NIOCore
import Session
import Store

/// Servers that are logged in and owe an answer.
extension IMAPClientHandler {
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
        guard self.silenceCheck == nil else { return }
        let time = self.gateway.configuration.limits.upstreamAnswerTime
        self.silenceCheck = self.schedule(in: .nanoseconds(time.nanoseconds / Self.looks)) {
            $0.silenceCheckDue()
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
