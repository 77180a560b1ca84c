import Access
import Foundation
import Support
import Testing

@testable import Store

/// A random store, written as rows: nested groups, walls, withdrawals, disabled users, grants that
/// end, wait, or come from Exchange, aliases.
struct RandomModel {
    static let users = (1...7).map { "u\($0)@kanzlei.example" }
    static let accounts = (1...5).map { "a\($0)@kanzlei.example" }
    static let aliases = (1...3).map { "b\($0)@kanzlei.example" }
    static let groups = (1...6).map { "g\($0)" }
    static let folders = ["INBOX", "Akten", "Akten/Neu", "Aktenberg"]

    let temporary: PermissionStoreTests.Temporary
    private var generator: Seeded

    var store: PermissionStore { self.temporary.store }

    init(seed: UInt64) throws {
        self.temporary = try PermissionStoreTests.Temporary()
        self.generator = Seeded(state: seed)
        try self.temporary.store.engine.write(locking: .model) { database in
            try self.writeNames(database)
            try self.writeAccounts(database)
            for _ in 0..<self.number(0...25) { try self.writeGrant(database) }
            for _ in 0..<self.number(0...6) { try self.writeWithdrawal(database) }
            for _ in 0..<self.number(0...4) { try self.writeWall(database) }
        }
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self.generator)
    }

    private mutating func oneIn(_ count: Int) -> Bool { self.number(1...count) == 1 }

    private mutating func writeNames(_ database: StoreTransaction) throws {
        for login in Self.users {
            try database.execute(
                sql: "INSERT INTO user (login, disabled, name) VALUES (?, ?, ?)",
                arguments: [login, self.oneIn(6), self.oneIn(2) ? "Name" : nil]
            )
        }
        for (index, name) in Self.groups.enumerated() {
            try database.execute(
                sql: "INSERT INTO \"group\" (name) VALUES (?)",
                arguments: [name]
            )
            // A group contains groups with smaller numbers only.
            for _ in 0..<self.number(0...4) {
                let inner = index > 0 && self.oneIn(2) ? self.number(1...index) : nil
                let user = inner == nil ? self.number(1...Self.users.count) : nil
                try database.execute(
                    sql: """
                        INSERT INTO member ("group", user, inner) VALUES (?, ?, ?)
                        ON CONFLICT DO NOTHING
                        """,
                    arguments: [index + 1, user, inner]
                )
            }
        }
    }

    private mutating func writeAccounts(_ database: StoreTransaction) throws {
        for (index, address) in Self.accounts.enumerated() {
            let owner = self.oneIn(3) ? nil : self.number(1...Self.users.count)
            try database.execute(
                sql: """
                    INSERT INTO account (kind, owner, imapHost, imapPort, imapTLS, username, disabled)
                    VALUES (?, ?, 'mail.example', 993, 'implicit', 'x', ?)
                    """,
                arguments: [self.oneIn(2) ? "imap" : "exchange", owner, self.oneIn(8)]
            )
            try database.execute(
                sql: "INSERT INTO address VALUES (?, ?, 1)",
                arguments: [address, index + 1]
            )
        }
        for alias in Self.aliases {
            try database.execute(
                sql: "INSERT INTO address VALUES (?, ?, 0)",
                arguments: [alias, self.number(1...Self.accounts.count)]
            )
        }
    }

    /// The keys of a random user or group, one of which is nil.
    private mutating func subject() -> (user: Int?, group: Int?) {
        self.oneIn(2)
            ? (self.number(1...Self.users.count), nil) : (nil, self.number(1...Self.groups.count))
    }

    private mutating func writeGrant(_ database: StoreTransaction) throws {
        let isExchange = self.oneIn(3)
        let isEveryone = isExchange && self.oneIn(4)
        var (user, group) = self.subject()
        if isEveryone { (user, group) = (nil, nil) }
        let folder = self.oneIn(2) ? nil : Self.folders.randomElement(using: &self.generator)
        let send = ["none", "as", "on-behalf"].randomElement(using: &self.generator) ?? "none"
        let mayBeEmpty = send != "none" || (isExchange && folder != nil)
        let rights = mayBeEmpty && self.oneIn(3) ? "" : self.oneIn(2) ? "lr" : "lrswite"
        let ends = [nil, nil, nil, Int64(1), 4_000_000_000]
        try database.execute(
            sql: """
                INSERT INTO "grant" (account, user, "group", everyone, rights, send, folder, subtree,
                    source, via, until, confirmed, author, created, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'test', 7, ?)
                """,
            arguments: [
                self.number(1...Self.accounts.count), user, group, isEveryone, rights, send,
                folder.map { Data($0.utf8) }, folder != nil && self.oneIn(2),
                isExchange ? "exchange" : "local", isExchange && self.oneIn(3) ? "Team" : nil,
                ends.randomElement(using: &self.generator) ?? nil, !self.oneIn(4),
                self.oneIn(2) ? "Urlaub" : nil,
            ]
        )
    }

    private mutating func writeWithdrawal(_ database: StoreTransaction) throws {
        let (user, group) = self.subject()
        let view = self.oneIn(2)
        try database.execute(
            sql: """
                INSERT INTO withdrawal (account, user, "group", view, send, source, author, created)
                VALUES (?, ?, ?, ?, ?, ?, 'test', 7)
                """,
            arguments: [
                self.number(1...Self.accounts.count), user, group, view, !view || self.oneIn(2),
                self.oneIn(2) ? "local" : "exchange",
            ]
        )
    }

    private mutating func writeWall(_ database: StoreTransaction) throws {
        let (user, group) = self.subject()
        try database.execute(
            sql: """
                INSERT INTO wall (account, user, "group", reason, author, created)
                VALUES (?, ?, ?, ?, 'test', 7)
                """,
            arguments: [
                self.number(1...Self.accounts.count), user, group, "Mandat \(self.number(1...9))",
            ]
        )
    }
}
