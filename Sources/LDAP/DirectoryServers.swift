/// The servers of one directory, which have the same entries.
package struct DirectoryServers: Sendable {
    /// The servers in the order of preference.
    package var servers: [DirectoryServer]
    package var limits: DirectoryLimits
    /// The time for an operation on all servers, in seconds.
    package var totalSeconds: Int
    /// Copies of this value share what they learn.
    private let silent = SilentServers()

    package init(servers: [DirectoryServer], limits: DirectoryLimits, totalSeconds: Int) {
        self.servers = servers
        self.limits = limits
        self.totalSeconds = totalSeconds
    }

    /// Connects to the first server that answers, and performs operations on it. A server that did not
    /// answer within the last minute is asked last.
    ///
    /// If they end with `unavailable`, the next server performs all of them again. Any other error
    /// is an answer, which ends the attempt.
    /// - Parameter operations: performs operations; it must not keep the connection.
    /// - Throws: the error of the operations, or `unavailable` with the reasons of all servers.
    package func perform<Value>(
        _ operations: (DirectoryConnection) throws(DirectoryError) -> Value
    ) throws(DirectoryError) -> Value {
        let deadline = Deadline(seconds: self.totalSeconds)
        let servers = self.silent.ordered(self.servers)
        return try Self.first(of: servers, until: deadline) { server throws(DirectoryError) in
            do throws(DirectoryError) {
                let connection = try DirectoryConnection(
                    to: server,
                    limits: self.limits,
                    until: deadline
                )
                defer { connection.close() }
                let value = try operations(connection)
                self.silent.record(server, answered: true)
                return value
            } catch {
                if case .unavailable = error {
                    self.silent.record(server, answered: false)
                } else {
                    self.silent.record(server, answered: true)
                }
                throw error
            }
        }
    }

    /// The value of the first server that is available.
    static func first<Value>(
        of servers: [DirectoryServer],
        until deadline: Deadline,
        _ attempt: (DirectoryServer) throws(DirectoryError) -> Value
    ) throws(DirectoryError) -> Value {
        var reasons: [String] = []
        for server in servers {
            guard !deadline.hasPassed else {
                reasons.append("no time is left for \(server)")
                break
            }
            do throws(DirectoryError) {
                return try attempt(server)
            } catch .unavailable(let reason) {
                reasons.append(reason)
            } catch {
                throw error
            }
        }
        if reasons.isEmpty { reasons = ["no server is configured"] }
        throw .unavailable(reasons.joined(separator: "; "))
    }
}
