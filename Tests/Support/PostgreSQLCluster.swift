import Foundation
import Synchronization

/// A server of PostgreSQL in a temporary folder, for the tests of one process. It ends with the
/// process, however that ends.
package final class PostgreSQLCluster: Sendable {
    /// Why no server runs.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Whether tests of stores use PostgreSQL.
    package static let isChosen =
        ProcessInfo.processInfo.environment["GATEPOST_TEST_ENGINE"] == "postgresql"
    /// The server of this process.
    package static let shared = Result { try PostgreSQLCluster() }

    private let folder: URL
    private let process: Process
    /// The shell stops the server when this is closed.
    private let life: Pipe
    private let databases = Atomic(0)

    private init() throws {
        // Another user must reach it, whatever TMPDIR is.
        let root = URL(fileURLWithPath: "/tmp")
        self.folder = root.appendingPathComponent(
            "gp-pg-\(getpid())-\(UUID().uuidString.prefix(8))"
        )
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        self.process = Process()
        self.life = Pipe()
        let isRoot = getuid() == 0
        // PostgreSQL does not run as root.
        let script = """
            set -e
            PATH="$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1):$PATH"
            initdb -D "$0/data" -U gatepost -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$0/log" 2>&1
            postgres -D "$0/data" -k "$0" -c listen_addresses= -c fsync=off \\
                -c max_connections=500 >>"$0/log" 2>&1 </dev/null &
            server=$!
            cat >/dev/null
            kill -QUIT $server
            wait $server || true
            rm -rf "$0"
            """
        if isRoot {
            try Self.run("/bin/chown", ["postgres", self.folder.path])
            self.process.executableURL = URL(fileURLWithPath: "/usr/sbin/runuser")
            self.process.arguments = [
                "-u", "postgres", "--", "/bin/sh", "-c", script, self.folder.path,
            ]
        } else {
            self.process.executableURL = URL(fileURLWithPath: "/bin/sh")
            self.process.arguments = ["-c", script, self.folder.path]
        }
        self.process.standardInput = self.life
        try self.process.run()
        for _ in 0..<600 {
            if (try? self.psql("SELECT 1")) != nil { return }
            guard self.process.isRunning else { break }
            Thread.sleep(forTimeInterval: 0.05)
        }
        let log = try? String(
            contentsOf: self.folder.appendingPathComponent("log"),
            encoding: .utf8
        )
        throw Failure(description: "PostgreSQL does not start: \(log ?? "no log")")
    }

    /// The URL of a new database.
    package func database() throws -> String {
        let number = self.databases.add(1, ordering: .relaxed).newValue
        try self.psql("CREATE DATABASE test\(number)")
        return self.url("test\(number)")
    }

    /// The URL of a database of this server.
    package func url(_ database: String) -> String {
        "postgresql:///\(database)?user=gatepost&host=\(self.folder.path)"
    }

    /// Runs SQL text.
    package func psql(_ sql: String, database: String = "postgres") throws {
        try Self.run(
            "/usr/bin/psql",
            ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, self.url(database)]
        )
    }

    private static func run(_ path: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(path) \(arguments) failed")
        }
    }
}
