package import Access
import IMAP

/// What a server owes the session, and with it how long it may be silent.
package enum AwaitedAnswer: Equatable, Sendable {
    /// The answer to a command that names one mailbox or lists them: the gateway's own commands, and LIST,
    /// SELECT and STATUS of a client.
    case prompt
    /// The answer to a command for which a server may read or change every message of a mailbox.
    case work
    /// The next octets of a command of a transfer between accounts.
    case transfer
    /// The rest of a response that nobody asked for, of which a part has passed to the client.
    case rest
    /// No answer yet: the server takes the octets of a message.
    case message
}

/// A server that is logged in and says nothing must not hold up its client: others may answer.
extension ClientSession {
    /// Whether a part of a response has passed to the client, so that nothing else can.
    package var isPassing: Bool { self.passing != nil }

    /// What the server of an account has to do next; nil where the session waits for nothing from it, as while
    /// it idles or is being logged in at.
    package func awaitedAnswer(of account: AccountID) -> AwaitedAnswer? {
        guard let upstream = self.upstreams[account], upstream.state == .ready else { return nil }
        return self.answer(owedBy: upstream, of: account)
            ?? (self.passing == account ? .rest : nil)
    }

    private func answer(owedBy upstream: Upstream, of account: AccountID) -> AwaitedAnswer? {
        guard upstream.housekeeping == nil else { return .prompt }
        let isInFlight = upstream.inFlight != nil
        guard let command = self.command else { return isInFlight ? .prompt : nil }
        return command.awaitedAnswer(of: account, isInFlight: isInFlight)
    }

    /// A server was silent for too long. Its connection is closed, and what ran on it fails as on a lost
    /// connection; other accounts and the client's connection go on.
    package mutating func upstreamSilent(_ account: AccountID) {
        guard self.upstreams.removeValue(forKey: account) != nil else { return }
        self.actions.append(.closeUpstream(account))
        self.upstreamLost(account)
        self.readClient()
    }
}
