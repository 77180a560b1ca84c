import Access
import NIOCore

/// Counts the wrong passwords that mail servers received, so that they lock no mailbox and do not
/// block the gateway's address. Pure: time is a parameter.
///
/// Servers lock a mailbox after five to ten wrong passwords. A stranger who guesses must not keep the
/// user out: networks from which the user logged in lately have a limit of their own.
struct UpstreamAttempts {
    /// The mailbox that a login opens: the user, with the server and user name that are asked.
    struct Target: Hashable {
        var user: UserID
        var server: [UInt8]
    }

    /// A password that may be sent to a server.
    struct Attempt {
        var target: Target
        var network: Network
        /// Whether a login of the user succeeded recently from this network.
        var isKnownNetwork: Bool
        /// A keyed hash of the password.
        var mark: [UInt8]
    }

    enum Permission {
        case permitted
        /// The server refused this password already.
        case knownWrong
        /// The same password, or as many as may be wrong, are being checked now.
        case busy
        /// As many passwords as may be wrong were wrong.
        case tooMany
        /// The server received as many passwords and answered none of them.
        case unanswered
    }

    /// Wrong passwords for a mailbox from all networks that are not known to be the user's.
    static let maximumFromOthers = 3
    /// Wrong passwords for a mailbox from all networks where the user logged in lately.
    static let maximumFromKnown = 3
    /// Wrong passwords for all mailboxes from one network that is not known to be the user's.
    static let maximumOfNetwork = 10
    /// A wrong password is forgotten after this time.
    static let lifetime = TimeAmount.minutes(15)
    /// A password that a server received without an answer is forgotten after this time.
    static let unansweredLifetime = TimeAmount.minutes(1)
    /// Mailboxes, and networks, with wrong passwords. Beyond the limit, the tenth with the oldest is
    /// forgotten.
    static let maximumEntries = 10_000

    /// What became of a password that was sent.
    private enum State {
        case running, unanswered, wrong
        /// Wrong, but a right password has ended the count of its networks.
        case forgiven
    }

    /// A password that was sent.
    private struct Sent {
        var mark: [UInt8]
        var isKnownNetwork: Bool
        var state = State.running
        /// When the entry is forgotten; a running one is not.
        var until = NIODeadline.distantFuture
    }

    /// A password that was sent, as it counts for its network.
    private struct Counted {
        var state = State.running
        /// When it counts no more.
        var until = NIODeadline.distantFuture
    }

    /// At most ``maximumEntries``, beside those with running attempts.
    private var sent: [Target: [Sent]] = [:]
    /// At most ``maximumOfNetwork`` for each network.
    private var ofNetworks: [Network: [Counted]] = [:]

    /// Decides whether a password may be sent. A permitted one runs until ``end(_:answer:at:)``.
    mutating func begin(_ attempt: Attempt, at now: NIODeadline) -> Permission {
        self.makeRoom(at: now)
        let entries = (self.sent[attempt.target] ?? []).filter { $0.until > now }
        if let same = entries.last(where: { $0.mark == attempt.mark }) {
            switch same.state {
            case .running: return .busy
            case .wrong, .forgiven: return .knownWrong
            case .unanswered: break
            }
        }
        let counted = entries.filter {
            $0.isKnownNetwork == attempt.isKnownNetwork && $0.state != .forgiven
        }
        let limit = attempt.isKnownNetwork ? Self.maximumFromKnown : Self.maximumFromOthers
        if counted.count >= limit { return Self.refusal(counted.map(\.state)) }
        if !attempt.isKnownNetwork {
            let others = (self.ofNetworks[attempt.network] ?? []).filter { $0.until > now }
            if others.count >= Self.maximumOfNetwork { return Self.refusal(others.map(\.state)) }
            self.ofNetworks[attempt.network] = others + [Counted()]
        }
        let sent = Sent(mark: attempt.mark, isKnownNetwork: attempt.isKnownNetwork)
        self.sent[attempt.target] = entries + [sent]
        return .permitted
    }

    /// Why no further password may be sent, after as many as may be wrong.
    private static func refusal(_ states: [State]) -> Permission {
        if states.contains(.running) { return .busy }
        return states.contains(.unanswered) ? .unanswered : .tooMany
    }

    /// A server has answered, or did not.
    mutating func end(_ attempt: Attempt, answer: UpstreamAnswer, at now: NIODeadline) {
        // First, because the mailbox may be forgotten already.
        self.endOfNetwork(attempt, answer: answer, at: now)
        guard var entries = self.sent[attempt.target],
            let index = entries.lastIndex(where: {
                $0.mark == attempt.mark && $0.state == .running
            })
        else { return }
        switch answer {
        case .accepted:
            entries.remove(at: index)
            for index in entries.indices
            where entries[index].isKnownNetwork == attempt.isKnownNetwork
                && entries[index].state == .wrong
            {
                entries[index].state = .forgiven
            }
        case .refused:
            entries[index].state = .wrong
            entries[index].until = now + Self.lifetime
        case .unanswered:
            entries[index].state = .unanswered
            entries[index].until = now + Self.unansweredLifetime
        case .notAsked, .unknown, .undecided:
            entries.remove(at: index)
        }
        self.sent[attempt.target] = entries.isEmpty ? nil : entries
    }

    /// Counts the answer for the network of an attempt.
    private mutating func endOfNetwork(
        _ attempt: Attempt,
        answer: UpstreamAnswer,
        at now: NIODeadline
    ) {
        guard !attempt.isKnownNetwork, var counted = self.ofNetworks[attempt.network] else {
            return
        }
        counted.removeAll { $0.until <= now }
        if let index = counted.firstIndex(where: { $0.state == .running }) {
            counted.remove(at: index)
        }
        switch answer {
        case .refused: counted.append(Counted(state: .wrong, until: now + Self.lifetime))
        case .unanswered:
            counted.append(Counted(state: .unanswered, until: now + Self.unansweredLifetime))
        case .accepted, .notAsked, .unknown, .undecided: break
        }
        self.ofNetworks[attempt.network] = counted.isEmpty ? nil : counted
    }

    /// Forgets what has expired, then the oldest tenth, if a limit is reached.
    private mutating func makeRoom(at now: NIODeadline) {
        if self.sent.count >= Self.maximumEntries {
            self.sent = self.sent.filter { $0.value.contains { $0.until > now } }
        }
        if self.sent.count >= Self.maximumEntries {
            func newest(_ sent: [Sent]) -> NIODeadline { sent.map(\.until).max() ?? .distantPast }
            for target in self.sent.leastTenth({ newest($0) < newest($1) }) {
                self.sent[target] = nil
            }
        }
        if self.ofNetworks.count >= Self.maximumEntries {
            self.ofNetworks = self.ofNetworks.filter { $0.value.contains { $0.until > now } }
        }
        if self.ofNetworks.count >= Self.maximumEntries {
            for network in self.ofNetworks.leastTenth({ $0.count < $1.count }) {
                self.ofNetworks[network] = nil
            }
        }
    }
}
