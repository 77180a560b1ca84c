package import Access
import Foundation
import GRDB
import Synchronization

extension PermissionStore {
    /// Everything a gateway needs, read in one transaction.
    package func load() throws -> StoreSnapshot {
        let opened = self.opened.withLock { $0 }
        do {
            let (published, standing) = try opened.database.read { database in
                (
                    try Self.published(database, generation: opened.generation),
                    try StoreStanding(database)
                )
            }
            // What is read first is what every later look goes on from.
            self.inForce.withLock { $0 = $0 ?? standing }
            return published
        } catch let error as DatabaseError {
            throw Self.explained(error)
        }
    }

    package func revision() throws -> Int64 {
        try self.read { try Self.revision($0) }
    }

    static func revision(_ database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT value FROM revision") ?? 0
    }

    static func published(_ database: Database, generation: Int) throws -> StoreSnapshot {
        let users = try self.loadUsers(database)
        let (accounts, endpoints) = try self.loadAccounts(database)
        let snapshot = Snapshot(
            revision: try self.revision(database),
            users: users,
            groups: try self.loadGroups(database),
            accounts: accounts,
            grants: try self.loadGrants(database),
            withdrawals: try self.loadWithdrawals(database),
            walls: try self.loadWalls(database)
        )
        return StoreSnapshot(
            access: snapshot,
            endpoints: endpoints,
            passwords: try self.passwords(database),
            generation: generation
        )
    }

    static func loadUsers(_ database: Database, where filter: RowFilter = .all) throws -> [User] {
        let rows = try filter.rows(database, of: "SELECT id, login, disabled, name FROM user")
        return rows.compactMap { row in
            Address((row["login"] as String).utf8).map {
                let name = (row["name"] as String?).map { Array($0.utf8) }
                return User(
                    id: UserID(row["id"]),
                    login: $0,
                    isDisabled: row["disabled"],
                    name: name
                )
            }
        }
    }

    private static func passwords(_ database: Database) throws -> [UserID: PasswordRecord] {
        let rows = try Row.fetchAll(
            database,
            sql: "SELECT id, password, passwordVersion FROM user WHERE password IS NOT NULL"
        )
        return Dictionary(
            rows.map { row in
                let record = PasswordRecord(
                    hash: PasswordHash(text: row["password"]),
                    version: row["passwordVersion"]
                )
                return (UserID(row["id"]), record)
            }
        ) { first, _ in first }
    }

    private static func loadGroups(_ database: Database) throws -> [Group] {
        var members: [Int64: [Subject]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT \"group\", user, inner FROM member") {
            members[row["group"], default: []].append(self.subject(row, group: "inner"))
        }
        return try Row.fetchAll(database, sql: "SELECT id, name FROM \"group\"").map { row in
            Group(id: GroupID(row["id"]), name: row["name"], members: members[row["id"]] ?? [])
        }
    }

    static func subject(_ row: Row, group: String = "group") -> Subject {
        if let user: Int64 = row["user"] { return .user(UserID(user)) }
        if row.hasColumn("everyone"), row["everyone"] { return .everyone }
        return .group(GroupID(row[group] ?? 0))
    }

    /// - Parameter filter: of the joined rows of accounts and their addresses.
    static func loadAccounts(
        _ database: Database,
        where filter: RowFilter = .all
    ) throws -> ([Account], [AccountID: UpstreamAccount]) {
        var aliases: [Int64: [Address]] = [:]
        let joined = "FROM account JOIN address ON address.account = account.id"
        let rows = try filter.and("isPrimary = 0").rows(
            database,
            of: "SELECT address, account \(joined)",
            order: "ORDER BY address"
        )
        for row in rows {
            guard let address = Address((row["address"] as String).utf8) else { continue }
            aliases[row["account"], default: []].append(address)
        }
        var accounts: [Account] = []
        var endpoints: [AccountID: UpstreamAccount] = [:]
        let all = try filter.and("isPrimary = 1").rows(
            database,
            of: "SELECT account.*, address.address AS primaryAddress \(joined)"
        )
        for row in all {
            let text: String = row["primaryAddress"]
            guard let address = Address(text.utf8) else { continue }
            let id = AccountID(row["id"])
            let endpoint = self.upstream(row, id: id, address: text)
            endpoints[id] = endpoint
            accounts.append(
                Account(
                    id: id,
                    address: address,
                    aliases: aliases[id.rawValue] ?? [],
                    kind: Account.Kind(rawValue: row["kind"]) ?? .imap,
                    owner: (row["owner"] as Int64?).map(UserID.init),
                    isDisabled: row["disabled"],
                    sentCopy: Account.SentCopy(rawValue: row["sentCopy"]) ?? .none,
                    filesSentMail: endpoint.usesToken
                )
            )
        }
        return (accounts, endpoints)
    }

    static func upstream(_ row: Row, id: AccountID, address: String) -> UpstreamAccount {
        let caFile: String? = row["caFile"]
        var smtp: Endpoint?
        if let host: String = row["smtpHost"] {
            smtp = Endpoint(
                host: host,
                port: row["smtpPort"] ?? 465,
                tls: Endpoint.Security(rawValue: row["smtpTLS"] ?? "implicit") ?? .implicit,
                caFile: caFile
            )
        }
        return UpstreamAccount(
            id: id,
            kind: Account.Kind(rawValue: row["kind"]) ?? .imap,
            address: address,
            imap: Endpoint(
                host: row["imapHost"],
                port: row["imapPort"],
                tls: Endpoint.Security(rawValue: row["imapTLS"]) ?? .implicit,
                caFile: caFile
            ),
            smtp: smtp,
            username: row["username"],
            sealedPassword: row["password"],
            credentialVersion: row["credentialVersion"]
        )
    }

    static func loadGrants(
        _ database: Database,
        where filter: RowFilter = .all
    ) throws -> [Grant] {
        try filter.rows(database, of: "SELECT * FROM \"grant\"").compactMap { row in
            guard let rights = Rights(letters: row["rights"]), let scope = self.scope(row) else {
                return nil
            }
            return Grant(
                id: row["id"],
                account: AccountID(row["account"]),
                subject: self.subject(row),
                rights: rights,
                send: SendRight(name: row["send"]),
                scope: scope,
                source: Source(rawValue: row["source"]) ?? .local,
                via: row["via"],
                until: (row["until"] as Int64?).map(Moment.init(seconds:)),
                isConfirmed: row["confirmed"]
            )
        }
    }

    /// - Returns: nil for a folder that no folder can be called: then the grant reaches nothing.
    private static func scope(_ row: Row) -> Scope? {
        guard let folder: Data = row["folder"] else { return .account }
        guard let path = FolderPath(octets: Array(folder)) else { return nil }
        return row["subtree"] ? .subtree(path) : .folder(path)
    }

    static func loadWithdrawals(
        _ database: Database,
        where filter: RowFilter = .all
    ) throws -> [Withdrawal] {
        try filter.rows(database, of: "SELECT * FROM withdrawal").map { row in
            Withdrawal(
                account: AccountID(row["account"]),
                subject: self.subject(row),
                view: row["view"],
                send: row["send"],
                source: Source(rawValue: row["source"]) ?? .local
            )
        }
    }

    static func loadWalls(
        _ database: Database,
        where filter: RowFilter = .all
    ) throws -> [Wall] {
        try filter.rows(database, of: "SELECT * FROM wall").map { row in
            Wall(
                account: AccountID(row["account"]),
                subject: self.subject(row),
                reason: row["reason"]
            )
        }
    }
}

extension SendRight {
    /// `none`, `on-behalf`, `as`; anything else is none.
    package init(name: String) {
        switch name {
        case "as": self = .as
        case "on-behalf": self = .onBehalf
        default: self = .none
        }
    }

    package var name: String {
        switch self {
        case .none: "none"
        case .onBehalf: "on-behalf"
        case .as: "as"
        }
    }
}
