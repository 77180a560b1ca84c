import Access
import Foundation
import Support

@testable import Store

/// A store with the audit logs of several nodes. In PostgreSQL, each has a store of its own; in a
/// file, which has one node, a connection has another name.
final class AuditNodes {
    let temporary: PermissionStoreTests.Temporary
    private var stores: [String: PermissionStore] = [:]

    var store: PermissionStore { self.temporary.store }
    var masterKey: MasterKey { self.temporary.masterKey }

    init() throws {
        self.temporary = try PermissionStoreTests.Temporary()
    }

    /// The node of ``store``.
    static var own: String { PostgreSQLCluster.isChosen ? "one" : "" }

    /// How problems begin that concern the node of ``store``.
    static var ownName: String { PostgreSQLCluster.isChosen ? "node one" : "without a node" }

    /// The store as another node opens it. Only in PostgreSQL.
    func store(of node: String) throws -> PermissionStore {
        if let store = self.stores[node] { return store }
        guard case .postgreSQL(var server) = self.store.location else {
            throw StoreError.refused("a file has one node")
        }
        server.node = node
        let store = try PermissionStore(.postgreSQL(server), creates: false)
        self.stores[node] = store
        return store
    }

    /// Appends records to the chain of a node.
    func audit(_ node: String, _ records: [(moment: Moment, record: AuditRecord)]) throws {
        guard !PostgreSQLCluster.isChosen else { return try self.store(of: node).audit(records) }
        try self.store.write(locking: .auditLog(of: node)) { transaction in
            let connection = NodeConnection(transaction.connection, node: node)
            try StoreTransaction(connection).append(records)
        }
    }

    /// Appends one record for each moment, in seconds.
    func audit(_ node: String, at seconds: Int64...) throws {
        try self.audit(
            node,
            seconds.map { second in
                let record = AuditRecord(event: "\(node) \(second)", actor: "anna@kanzlei.example")
                return (Moment(seconds: second), record)
            }
        )
    }

    /// Seals the chain of a node.
    @discardableResult
    func seal(_ node: String, begins: Bool = true) throws -> AuditSeal? {
        try self.store.sealAudit(self.masterKey, node: node, begins: begins)
    }

    func problems(_ anchors: String...) throws -> [String] {
        try self.store.verifyAudit(self.masterKey, anchors: anchors).problems
    }

    /// Changes the database without the store.
    func tamper(_ sql: String) throws {
        try AuditTests.tamper(self.temporary, sql)
    }
}

/// A connection of another node.
private final class NodeConnection: StoreConnection {
    private let connection: any StoreConnection
    let node: String

    init(_ connection: any StoreConnection, node: String) {
        self.connection = connection
        self.node = node
    }

    var changedRows: Int { self.connection.changedRows }
    func allowPauses() {}
    var instance: Int64 { self.connection.instance }
    func renewLease() throws { try self.connection.renewLease() }
    func lock(_ lock: StoreLock) throws { try self.connection.lock(lock) }
    func rows(sql: String, arguments: StoreArguments) throws -> [StoreRow] {
        try self.connection.rows(sql: sql, arguments: arguments)
    }
    func cursor(
        sql: String,
        arguments: StoreArguments,
        isForOneRow: Bool
    ) throws -> any StoreCursor {
        try self.connection.cursor(sql: sql, arguments: arguments, isForOneRow: isForOneRow)
    }
    func execute(sql: String, arguments: StoreArguments) throws {
        try self.connection.execute(sql: sql, arguments: arguments)
    }
    func lastKeys() throws -> [String: Int64] { try self.connection.lastKeys() }
    func continueKeys(after keys: [String: Int64]) throws {
        try self.connection.continueKeys(after: keys)
    }
    func insertedKey() throws -> Int64 { try self.connection.insertedKey() }
}
