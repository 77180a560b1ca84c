package import Access
import IMAP

/// The kind of octets that a server has to send next. It determines how long the server may be
/// silent.
package enum AwaitedAnswer: Equatable, Sendable {
    /// The answer to a command that names one mailbox or lists mailboxes: each of the gateway's own
    /// commands, and LIST, SELECT and STATUS of a client.
    case prompt
    /// The answer to a command for which the server may read or change every message of a mailbox.
    case work
    /// The next octets of a command that transfers messages between accounts.
    case transfer
    /// The rest of an unsolicited response, of which a part has been passed to the client.
    case rest
    /// Nothing: the server receives the octets of a message.
    case message
}

/// Limits the time that a server may be silent after login. A silent server must not block a client
/// whose other servers answer.
extension ClientSession {
    /// Whether part of a response has been passed to the client, so that nothing else can be
    /// written.
    package var isPassing: Bool { self.passing != nil }

    /// What the server of an account has to send next; nil if the session waits for nothing from
    /// it, for example during IDLE or before the login is complete.
    package func awaitedAnswer(of account: AccountID) -> AwaitedAnswer? {
        guard let upstream = self.upstreams[account], upstream.state == .ready else { return nil }
        return self.answer(owedBy: upstream, of: account)
            ?? (self.passing == account ? .rest : nil)
    }

    /// The answer that a server owes to the gateway's own command or to the running one.
    private func answer(owedBy upstream: Upstream, of account: AccountID) -> AwaitedAnswer? {
        guard upstream.housekeeping == nil else { return .prompt }
        let isInFlight = upstream.inFlight != nil
        guard let command = self.command else { return isInFlight ? .prompt : nil }
        return command.awaitedAnswer(of: account, isInFlight: isInFlight)
    }

    /// A server was silent for too long. Its connection is closed, and what ran there fails as on a
    /// lost connection. The other servers and the client's connection are not affected.
    package mutating func upstreamSilent(_ account: AccountID) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.actions.append(.closeUpstream(account))
        self.upstreamLost(account)
        self.readClient()
    }
}
