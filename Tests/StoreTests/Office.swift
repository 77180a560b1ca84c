import Access
import Foundation
import Testing

@testable import Store

/// A store with users, groups and accounts, with short functions for tests. Names without a
/// domain are in `kanzlei.example`.
struct Office {
    let temporary: PermissionStoreTests.Temporary

    var store: PermissionStore { self.temporary.store }

    /// Users Anna, Bob and Carl. Bob owns the account `bob`, `info` has no owner, and Carl owns
    /// the Exchange account `sales`.
    init() throws {
        self.temporary = try PermissionStoreTests.Temporary()
        try self.temporary.addUsers("anna", "bob", "carl")
        try self.temporary.addAccount("bob", owner: "bob", aliases: ["b@kanzlei.example"])
        try self.temporary.addAccount("info")
        try self.temporary.addAccount("sales", owner: "carl", kind: .exchange)
    }

    /// `group:NAME` and `anyone` as they are.
    static func full(_ name: String) -> String {
        name.hasPrefix("group:") || name == "anyone" || name.contains("@")
            ? name : "\(name)@kanzlei.example"
    }

    static func path(_ name: String) throws -> FolderPath {
        try #require(FolderPath(octets: Array(name.utf8)))
    }

    /// The message of a refusal; nil if nothing was refused.
    static func refusal<Value>(_ body: () throws -> Value) -> String? {
        do {
            _ = try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    // MARK: - Edits

    func group(_ name: String, _ members: String...) throws {
        try self.store.addGroup(name, actor: "test")
        guard !members.isEmpty else { return }
        try self.store.join(members.map(Self.full), to: name, actor: "test")
    }

    func wall(_ account: String, _ subject: String, _ reason: String = "Mandat") throws {
        try self.store.addWall(
            account: Self.full(account),
            subject: Self.full(subject),
            reason: reason,
            actor: "test"
        )
    }

    func withdraw(_ account: String, _ subject: String, _ sides: Sides) throws {
        try self.store.withdraw(
            account: Self.full(account),
            subject: Self.full(subject),
            view: sides.contains(.view),
            send: sides.contains(.send),
            actor: "test"
        )
    }

    func restore(_ account: String, _ subject: String, _ sides: Sides) throws {
        try self.store.restore(
            account: Self.full(account),
            subject: Self.full(subject),
            view: sides.contains(.view),
            send: sides.contains(.send),
            actor: "test"
        )
    }

    @discardableResult
    func grant(
        _ account: String,
        _ subject: String,
        _ rights: Rights = .view,
        send: SendRight = .none,
        scope: Scope = .account,
        consent: Consent = .off
    ) throws -> Bool {
        try self.store.addGrant(
            GrantRequest(
                account: Self.full(account),
                subject: Self.full(subject),
                rights: rights,
                send: send,
                scope: scope
            ),
            consent: consent,
            actor: "test"
        )
    }

    /// Loads and saves Exchange permissions of an account.
    @discardableResult
    func saved(
        _ account: String,
        _ permissions: ImportedPermissions,
        confirmsEveryone: Bool = false
    ) throws -> StageReport {
        _ = try self.staged(account, permissions)
        let reports = try self.store.saveStages(
            of: [Self.full(account)],
            confirmsEveryone: confirmsEveryone,
            actor: "test"
        )
        return try #require(reports.first)
    }

    func staged(_ account: String, _ permissions: ImportedPermissions) throws -> StageReport {
        let name = Self.full(account)
        let version = try #require(try self.store.permissionsVersions(of: [name]).first)
        let reports = try self.store.stage(
            [(account: name, version: version, permissions: permissions)],
            source: "test",
            actor: "test"
        )
        return try #require(reports.first)
    }

    // MARK: - Reading

    func access(of user: String, to account: String) throws -> AccountAccess {
        let snapshot = try self.store.load().access
        return snapshot.access(
            of: try self.user(user, in: snapshot),
            to: try self.account(account, in: snapshot),
            at: .current
        )
    }

    func user(_ name: String, in snapshot: Snapshot) throws -> UserID {
        try #require(Address(Self.full(name).utf8).flatMap { snapshot.user(login: $0) }).id
    }

    func account(_ name: String, in snapshot: Snapshot) throws -> AccountID {
        try #require(Address(Self.full(name).utf8).flatMap { snapshot.account(address: $0) }).id
    }

    func subject(_ name: String, in snapshot: Snapshot) throws -> Subject {
        guard name.hasPrefix("group:") else { return .user(try self.user(name, in: snapshot)) }
        let group = snapshot.groups.values.first { "group:\($0.name)" == name }
        return .group(try #require(group).id)
    }

    /// Changes the database without the store.
    func tamper(_ sql: String, _ arguments: StoreArguments = []) throws {
        try self.temporary.tamper(sql, arguments)
    }
}
