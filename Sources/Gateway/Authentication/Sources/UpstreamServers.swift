import NIOCore

/// The logins that run at each mail server, and the servers that could not be asked lately. Pure: time
/// is a parameter.
///
/// One server that hangs must not occupy all threads: the logins at other servers would wait for it.
struct UpstreamServers {
    enum Permission: Equatable {
        /// The login may run, until ``end(_:began:answer:at:)``.
        case permitted
        /// As many logins as may run are running; one of them ends soon.
        case wait
        /// The server is not asked now.
        case failed(reason: String)
    }

    /// Logins that run at one server at a time; half of the threads.
    static let maximumLogins = 16
    /// Those of them that come from networks which are not known to be their users'.
    static let maximumFromOthers = 8
    /// With as many running logins, one that has run for longer means that the server hangs.
    static let longestUsual = TimeAmount.seconds(3)
    /// How long a server that failed is not asked. After that one login tries it.
    static let pause = TimeAmount.seconds(5)
    /// Servers that are remembered. Beyond the limit, those without running logins are forgotten.
    static let maximumServers = 10_000

    private struct Server {
        /// When the running logins began.
        var running: [NIODeadline] = []
        /// Why the last login failed; nil after one that the server answered.
        var failure: String?
        var pausedUntil = NIODeadline.distantPast
    }

    /// By host and port.
    private var servers: [String: Server] = [:]

    /// Decides whether a login may run.
    /// - Parameter isKnownNetwork: whether the user logged in lately from where the login comes from.
    mutating func begin(_ name: String, isKnownNetwork: Bool, at now: NIODeadline) -> Permission {
        if self.servers.count >= Self.maximumServers {
            self.servers = self.servers.filter { !$0.value.running.isEmpty }
        }
        var server = self.servers[name] ?? Server()
        if let failure = server.failure, server.pausedUntil > now || !server.running.isEmpty {
            return .failed(reason: failure)
        }
        let limit = isKnownNetwork ? Self.maximumLogins : Self.maximumFromOthers
        if server.running.count >= limit, let oldest = server.running.min() {
            return oldest + Self.longestUsual > now
                ? .wait : .failed(reason: "\(name) does not answer other logins")
        }
        server.running.append(now)
        self.servers[name] = server
        return .permitted
    }

    /// A login that was permitted has ended.
    /// - Parameter began: the time of the permission.
    mutating func end(
        _ name: String,
        began: NIODeadline,
        answer: UpstreamAnswer,
        at now: NIODeadline
    ) {
        guard var server = self.servers[name] else { return }
        if let index = server.running.firstIndex(of: began) { server.running.remove(at: index) }
        switch answer {
        case .accepted, .refused, .unknown, .undecided:
            server.failure = nil
        case .unanswered:
            // Some servers are slow to refuse a password. That says nothing about other mailboxes.
            server.failure = nil
        case .notAsked(let reason):
            server.failure = reason
            server.pausedUntil = now + Self.pause
        }
        let isIdle = server.running.isEmpty && server.failure == nil
        self.servers[name] = isIdle ? nil : server
    }
}
