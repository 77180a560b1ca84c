import Foundation
import Support

/// Rows in the database before the nodes start.
enum Fill {
    /// One account for each user, and ten grants on each account, the first one to a group of
    /// twenty.
    static func run(_ cluster: PostgreSQLCluster, database: String, users: Int) throws {
        try cluster.psql(
            """
            BEGIN;
            INSERT INTO "user" (login) SELECT 'u' || n || '@kanzlei.example'
                FROM generate_series(1, \(users)) n;
            INSERT INTO account (kind, owner, imaphost, imapport, imaptls, username)
                SELECT 'imap', n, '127.0.0.1', 9, 'implicit', 'x' FROM generate_series(1, \(users)) n;
            INSERT INTO address SELECT 'u' || n || '@kanzlei.example', n, 1
                FROM generate_series(1, \(users)) n;
            INSERT INTO "group" (name) SELECT 'g' || n FROM generate_series(1, \(max(users / 20, 1))) n;
            INSERT INTO member ("group", "user")
                SELECT (n - 1) / 20 + 1, n FROM generate_series(1, \(max(users / 20, 1) * 20)) n
                WHERE n <= \(users);
            INSERT INTO "grant" (account, "group", rights, send, author, created)
                SELECT n, (n * 7) % \(max(users / 20, 1)) + 1, 'lr', 'none', 'simulation', 0
                FROM generate_series(1, \(users)) n;
            INSERT INTO "grant" (account, "user", rights, send, author, created)
                SELECT n, (n + i * 13 + 1) % \(users) + 1, 'lr', 'none', 'simulation', 0
                FROM generate_series(1, \(users)) n, generate_series(1, 9) i;
            DELETE FROM rowchange;
            UPDATE revision SET value = value + 1;
            UPDATE rowchangestart SET first = (SELECT value FROM revision);
            INSERT INTO revisiontoken SELECT value, '\\x00' FROM revision;
            COMMIT;
            ANALYZE
            """,
            database: database
        )
    }
}

/// A port of this machine that nobody uses.
enum FreePort {
    static func find() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw SimulationFailure("no port is free") }
        return UInt16(bigEndian: address.sin_port)
    }
}
