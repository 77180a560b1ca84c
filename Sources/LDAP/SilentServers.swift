import Synchronization

/// The servers that did not answer lately. They are asked after the others: each costs the time of a
/// connection that fails.
///
/// Safe to use from any thread.
final class SilentServers: Sendable {
    /// How long a server is asked last.
    static let duration = Duration.seconds(60)

    /// When each server is asked in its turn again.
    private let ends = Mutex<[DirectoryServer: ContinuousClock.Instant]>([:])

    /// The servers in the order in which to ask them.
    /// - Parameter now: the time; a test replaces it.
    func ordered(
        _ servers: [DirectoryServer],
        at now: ContinuousClock.Instant = .now
    ) -> [DirectoryServer] {
        self.ends.withLock { ends in
            guard !ends.isEmpty else { return servers }
            let silent = ends.filter { $0.value > now }
            return servers.filter { silent[$0] == nil } + servers.filter { silent[$0] != nil }
        }
    }

    /// Records whether a server answered.
    func record(
        _ server: DirectoryServer,
        answered: Bool,
        at now: ContinuousClock.Instant = .now
    ) {
        self.ends.withLock { $0[server] = answered ? nil : now + Self.duration }
    }
}
