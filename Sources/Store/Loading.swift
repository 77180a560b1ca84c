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
        let users = try self.users(database)
        let (accounts, endpoints) = try self.accounts(database)
        let snapshot = Snapshot(
            revision: try self.revision(database),
            users: users,
            groups: try self.groups(database),
            accounts: accounts,
            grants: try self.grants(database),
            withdrawals: try self.withdrawals(database),
            walls: try self.walls(database)
        )
        return StoreSnapshot(
            access: snapshot,
            endpoints: endpoints,
            passwords: try self.passwords(database),
            generation: generation
        )
    }

    private static func users(_ database: Database) throws -> [User] {
        let rows = try Row.fetchAll(database, sql: "SELECT id, login, disabled, name FROM user")
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

    private static func groups(_ database: Database) throws -> [Group] {
        var members: [Int64: [Subject]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT \"group\", user, inner FROM member") {
            members[row["group"], default: []].append(self.subject(row, group: "inner"))
        }
        return try Row.fetchAll(database, sql: "SELECT id, name FROM \"group\"").map { row in
            Group(id: GroupID(row["id"]), name: row["name"], members: members[row["id"]] ?? [])
        }
    }

    private static func subject(_ row: Row, group: String = "group") -> Subject {
        if let user: Int64 = row["user"] { return .user(UserID(user)) }
        if row.hasColumn("everyone"), row["everyone"] { return .everyone }
        return .group(GroupID(row[group] ?? 0))
    }

    private static func accounts(
        _ database: Database
    ) throws -> ([Account], [AccountID: UpstreamAccount]) {
        var aliases: [Int64: [Address]] = [:]
        let rows = try Row.fetchAll(
            database,
            sql: "SELECT address, account FROM address WHERE isPrimary = 0 ORDER BY address"
        )
        for row in rows {
            guard let address = Address((row["address"] as String).utf8) else { continue }
            aliases[row["account"], default: []].append(address)
        }
        var accounts: [Account] = []
        var endpoints: [AccountID: UpstreamAccount] = [:]
        let all = try Row.fetchAll(
            database,
            sql: """
                SELECT account.*, address.address AS primaryAddress FROM account
                JOIN address ON address.account = account.id AND address.isPrimary = 1
                """
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

    private static func grants(_ database: Database) throws -> [Grant] {
        try Row.fetchAll(database, sql: "SELECT * FROM \"grant\"").compactMap { row in
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

    private static func withdrawals(_ database: Database) throws -> [Withdrawal] {
        try Row.fetchAll(database, sql: "SELECT * FROM withdrawal").map { row in
            Withdrawal(
                account: AccountID(row["account"]),
                subject: self.subject(row),
                view: row["view"],
                send: row["send"],
                source: Source(rawValue: row["source"]) ?? .local
            )
        }
    }

    private static func walls(_ database: Database) throws -> [Wall] {
        try Row.fetchAll(database, sql: "SELECT * FROM wall").map { row in
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
