import Access
import NIOCore

/// Counts the wrong passwords that were sent to mail servers, so that no server locks an account or
/// the gateway's address. Time is a parameter.
///
/// Servers lock after about five to ten wrong passwords. A stranger who guesses must not keep the
/// user out: a network from which the user logged in lately has a count of its own.
struct UpstreamAttempts {
    /// A password that may be sent to a server.
    struct Attempt {
        var user: UserID
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
        case tooMany
    }

    /// Wrong passwords of a user from all networks that are not known to be the user's.
    static let maximumFromOthers = 4
    /// Wrong passwords of a user from one network where the user logged in lately.
    static let maximumFromKnown = 4
    /// Wrong passwords are forgotten after this time.
    static let lifetime = TimeAmount.minutes(15)
    /// Users with wrong passwords. Beyond the limit, the tenth with the oldest is forgotten.
    static let maximumUsers = 10_000

    /// A password that a server refused, or that is being checked.
    private struct Wrong {
        var mark: [UInt8]
        /// Nil for a network that is not known to be the user's.
        var network: Network?
        var until: NIODeadline
    }

    /// At most ``maximumUsers``.
    private var wrong: [UserID: [Wrong]] = [:]

    /// Decides whether a password may be sent. A permitted one counts as wrong until its end.
    mutating func begin(_ attempt: Attempt, at now: NIODeadline) -> Permission {
        self.makeRoom(at: now)
        let known = (self.wrong[attempt.user] ?? []).filter { $0.until > now }
        guard !known.contains(where: { $0.mark == attempt.mark }) else { return .knownWrong }
        let network = attempt.isKnownNetwork ? attempt.network : nil
        let limit = network == nil ? Self.maximumFromOthers : Self.maximumFromKnown
        guard known.count(where: { $0.network == network }) < limit else { return .tooMany }
        let wrong = Wrong(mark: attempt.mark, network: network, until: now + Self.lifetime)
        self.wrong[attempt.user] = known + [wrong]
        return .permitted
    }

    /// A server has answered, or did not. Only a refused password stays; one that was right ends the
    /// counts of its user's network.
    mutating func end(_ attempt: Attempt, verdict: SourceVerdict, at now: NIODeadline) {
        if case .refused = verdict { return }
        let network = attempt.isKnownNetwork ? attempt.network : nil
        self.wrong[attempt.user]?.removeAll {
            $0.mark == attempt.mark || verdict == .verified && $0.network == network
        }
        if self.wrong[attempt.user]?.isEmpty ?? false { self.wrong[attempt.user] = nil }
    }

    /// Forgets what has expired, then the oldest tenth, if the limit is reached.
    private mutating func makeRoom(at now: NIODeadline) {
        guard self.wrong.count >= Self.maximumUsers else { return }
        self.wrong = self.wrong.filter { $0.value.contains { $0.until > now } }
        guard self.wrong.count >= Self.maximumUsers else { return }
        func newest(_ wrong: [Wrong]) -> NIODeadline { wrong.map(\.until).max() ?? .distantPast }
        for user in self.wrong.leastTenth({ newest($0) < newest($1) }) { self.wrong[user] = nil }
    }
}
