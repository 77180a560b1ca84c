import Foundation
import Store
import Support
import Testing

@testable import Gateway

/// The store of a ``StoreFixture`` in a database of PostgreSQL, which several nodes of one test
/// open.
final class SharedFixture: Sendable {
    let fixture: StoreFixture
    private let url: String

    init(_ names: [String] = ["anna", "bob"], port: Int = 1) throws {
        self.fixture = try StoreFixture(names, port: port)
        self.url = try PostgreSQLCluster.shared.get().database()
        let store = try self.node("setup")
        _ = try self.fixture.store.copy(to: store)
        store.close()
    }

    /// The store as a node has it; each call is another process. Nodes have one folder.
    func node(_ name: String) throws -> PermissionStore {
        let server = PostgreSQLServer(
            url: self.url,
            node: name,
            state: self.fixture.folder.url.path
        )
        return try PermissionStore(.postgreSQL(server))
    }

    /// Takes over after all others were silent for long.
    func takeOver(_ store: PermissionStore) throws -> [Int64] {
        let leases = NodeLeases(time: .seconds(2))
        let start = ContinuousClock.now
        for second in [0, 1] {
            #expect(try store.takeOver(leases, at: start + .seconds(second)) == [])
        }
        return try store.takeOver(leases, at: start + .seconds(2))
    }
}
