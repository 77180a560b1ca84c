import Foundation

/// `HotPaths [USERS]`: what the paths of messages and decisions cost, in memory and without sockets.
///
/// `HotPaths count PATHS…` runs paths with few rounds, for `.ci/counts`: `sessions`, `decisions` or
/// both.
@main
enum Program {
    /// So many users have a million grants.
    private static let users: Int64 = 100_000

    static func main() {
        do {
            try Self.run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("HotPaths: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ words: [String]) throws {
        guard words.first == "count" else {
            let users = words.first.flatMap(Int64.init) ?? Self.users
            for path in try Self.sessions() + DecisionPaths.all(users: users) {
                try path.printTime()
            }
            return
        }
        if words.contains("sessions") { for path in try Self.sessions() { try path.printRounds() } }
        guard words.contains("decisions") else { return }
        for path in DecisionPaths.all(users: Self.users) { try path.printRounds() }
    }

    private static func sessions() throws -> [Path] {
        let bench = try Bench()
        return IMAPPaths.all(bench) + SubmissionPaths.all(bench) + TLSPaths.all()
    }
}
