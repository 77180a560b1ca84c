import Access
import Foundation
import SASL
import Support
import Testing

@testable import Store

/// A database of PostgreSQL with two accounts, which several nodes of one test open.
final class SharedStore: Sendable {
    let folder: TemporaryFolder
    private let url: String
    private let masterKey = MasterKey()

    init() throws {
        self.folder = try TemporaryFolder()
        self.url = try PostgreSQLCluster.shared.get().database()
        let store = try self.node("setup")
        for name in ["anna", "bob"] {
            var settings = AccountSettings()
            settings.kind = .imap
            settings.imap = Endpoint(host: "mail.kanzlei.example", port: 993, tls: .implicit)
            settings.password = Secret("x")
            try store.addAccount(
                "\(name)@kanzlei.example",
                settings: settings,
                masterKey: self.masterKey,
                actor: "test"
            )
        }
        store.close()
    }

    /// The store as a node has it; each call is another process.
    func node(_ name: String) throws -> PermissionStore {
        let server = PostgreSQLServer(url: self.url, node: name, state: self.folder.url.path)
        return try PermissionStore(.postgreSQL(server))
    }

    /// Runs SQL text behind the back of all nodes.
    func psql(_ sql: String) throws {
        let database = String(
            self.url.dropFirst("postgresql:///".count).prefix { $0 != "?" }
        )
        try PostgreSQLCluster.shared.get().psql(sql, database: database)
    }

    /// Gives a node its name, whoever had it.
    func signalLife(_ store: PermissionStore) throws {
        try self.psql("UPDATE node SET seen = 0")
        try store.write(locking: .none) { try $0.connection.renewLease() }
    }

    /// Takes over after all others were silent for long.
    func takeOver(_ store: PermissionStore) throws -> [Int64] {
        try self.watch(store).takeOver()
    }

    /// A node that has seen all others silent for long.
    struct Watch {
        let store: PermissionStore
        let leases = NodeLeases(time: .seconds(2))
        let start = ContinuousClock.now

        /// Takes over what they left.
        func takeOver() throws -> [Int64] {
            try self.store.takeOver(self.leases, at: self.start + .seconds(2))
        }
    }

    func watch(_ store: PermissionStore) throws -> Watch {
        let watch = Watch(store: store)
        for second in [0, 1] {
            #expect(try store.takeOver(watch.leases, at: watch.start + .seconds(second)) == [])
        }
        return watch
    }

    /// A transfer between the two accounts.
    func transfer(moves: Bool) throws -> Transfer {
        Transfer(
            moves: moves,
            source: Transfer.Mailbox(
                account: AccountID(1),
                folder: try Office.path("Quelle"),
                uidValidity: 1
            ),
            uids: [1],
            target: Transfer.Mailbox(
                account: AccountID(2),
                folder: try Office.path("Ziel"),
                uidValidity: 1
            ),
            uidNext: 100
        )
    }
}
