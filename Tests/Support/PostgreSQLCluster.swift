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
    private let port: UInt16?
    private let process: Process
    /// The shell stops the server when this is closed.
    private let life: Pipe
    private let databases = Atomic(0)

    /// Starts a server.
    /// - Parameter port: A TCP port of this machine besides the socket; nil for none.
    package init(port: UInt16? = nil) throws {
        self.port = port
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
            postgres -D "$0/data" -k "$0" \(Self.listening(on: port)) -c fsync=off \\
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

    /// Options of the server.
    private static func listening(on port: UInt16?) -> String {
        port.map { "-c listen_addresses=127.0.0.1 -p \($0)" } ?? "-c listen_addresses="
    }

    /// The URL of a database of this server.
    package func url(_ database: String) -> String {
        guard let port = self.port else {
            return "postgresql:///\(database)?user=gatepost&host=\(self.folder.path)"
        }
        return "postgresql:///\(database)?user=gatepost&host=127.0.0.1&port=\(port)"
    }

    /// The name of the database in a URL of this class.
    package static func name(of url: String) -> String {
        String(url.dropFirst("postgresql:///".count).prefix { $0 != "?" })
    }

    /// The number of the server's first process; 0 if it is unknown.
    package var serverProcess: Int32 {
        let file = self.folder.appendingPathComponent("data/postmaster.pid")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return Int32(text.prefix { $0 != "\n" }) ?? 0
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
