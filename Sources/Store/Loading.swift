package import Access
import Foundation

/// Loading of the whole store into a snapshot.
extension PermissionStore {
    /// Reads everything that a gateway needs in one transaction. The first load also sets the
    /// state with which later reads are compared: see ``StoreState``.
    /// - Throws: ``StoreError`` if the store cannot be read.
    package func load() throws -> StoreSnapshot {
        try self.engine.load()
    }

    /// The store's revision: 1 for a new store, incremented by each edit.
    package func revision() throws -> Int64 {
        try self.read { try $0.revision() }
    }
}

/// The text form of a right to send.
extension SendRight {
    /// Parses `none`, `on-behalf` or `as`; any other text is `none`, so that an unknown value
    /// never allows sending.
    package init(name: String) {
        switch name {
        case "as": self = .as
        case "on-behalf": self = .onBehalf
        default: self = .none
        }
    }

    /// `none`, `on-behalf` or `as`.
    package var name: String {
        switch self {
        case .none: "none"
        case .onBehalf: "on-behalf"
        case .as: "as"
        }
    }
}

/// Loading of rows into values of `Access`. A row that these types cannot represent is left
/// out, which only takes rights away.
extension StoreTransaction {
    /// The revision; 0 if its row is missing.
    func revision() throws -> Int64 {
        try self.value(of: Int64.self, sql: "SELECT value FROM revision") ?? 0
    }

    /// The random number of a revision; nil for one that an earlier version made.
    func token(of revision: Int64) throws -> Data? {
        try self.value(
            of: Data.self,
            sql: "SELECT token FROM revisionToken WHERE revision = ?",
            arguments: [revision]
        )
    }

    /// Reads all tables into a snapshot.
    /// - Parameter generation: The number of the file in this process; see
    ///   ``SQLiteDatabase/generation``.
    func snapshot(generation: Int) throws -> StoreSnapshot {
        let users = try self.loadUsers()
        let (accounts, endpoints) = try self.loadAccounts()
        let snapshot = Snapshot(
            revision: try self.revision(),
            users: users,
            groups: try self.loadGroups(),
            accounts: accounts,
            grants: try self.loadGrants(),
            withdrawals: try self.loadWithdrawals(),
            walls: try self.loadWalls()
        )
        return StoreSnapshot(
            access: snapshot,
            endpoints: PersistentTable(endpoints.map { ($0.key, $0.value) }),
            passwords: PersistentTable(try self.passwords().map { ($0.key, $0.value) }),
            generation: generation
        )
    }

    /// Users, without their passwords. A login that is no valid address is left out.
    /// - Parameter filter: A condition on the table `user`.
    func loadUsers(where filter: RowFilter = .all) throws -> [User] {
        let rows = try filter.rows(self, of: "SELECT id, login, disabled, name FROM user")
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

    /// The password hashes of users who have one.
    /// - Parameter filter: A condition on the table `user`.
    func passwords(where filter: RowFilter = .all) throws -> [UserID: PasswordRecord] {
        let rows = try filter.and("password IS NOT NULL").rows(
            self,
            of: "SELECT id, password, passwordVersion FROM user"
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

    /// All groups with their direct members.
    private func loadGroups() throws -> [Group] {
        var members: [Int64: [Subject]] = [:]
        for row in try self.rows(sql: "SELECT \"group\", user, inner FROM member") {
            members[row["group"], default: []].append(Self.subject(row, group: "inner"))
        }
        return try self.rows(sql: "SELECT id, name FROM \"group\"").map { row in
            Group(id: GroupID(row["id"]), name: row["name"], members: members[row["id"]] ?? [])
        }
    }

    /// The subject in a row's columns.
    /// - Parameter group: The column with the group's key.
    static func subject(_ row: StoreRow, group: String = "group") -> Subject {
        if let user: Int64 = row["user"] { return .user(UserID(user)) }
        if row.hasColumn("everyone"), row["everyone"] { return .everyone }
        return .group(GroupID(row[group] ?? 0))
    }

    /// Accounts, and their servers with the sealed credentials.
    /// - Parameter filter: A condition on the tables `account` and `address`, joined.
    func loadAccounts(
        where filter: RowFilter = .all
    ) throws -> ([Account], [AccountID: UpstreamAccount]) {
        var aliases: [Int64: [Address]] = [:]
        let joined = "FROM account JOIN address ON address.account = account.id"
        let rows = try filter.and("isPrimary = 0").rows(
            self,
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
            self,
            of: "SELECT account.*, address.address AS primaryAddress \(joined)"
        )
        for row in all {
            let text: String = row["primaryAddress"]
            guard let address = Address(text.utf8) else { continue }
            let id = AccountID(row["id"])
            let endpoint = Self.upstream(row, id: id, address: text)
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
                    isSentCopyRequired: row["sentCopyRequired"],
                    filesSentMail: endpoint.usesToken
                )
            )
        }
        return (accounts, endpoints)
    }

    /// The servers and the sealed credential in an account's row.
    static func upstream(_ row: StoreRow, id: AccountID, address: String) -> UpstreamAccount {
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

    /// Grants, also those that ended or wait for confirmation: `Access` evaluates these fields.
    func loadGrants(where filter: RowFilter = .all) throws -> [Grant] {
        try filter.rows(self, of: "SELECT * FROM \"grant\"").compactMap { row in
            guard let rights = Rights(letters: row["rights"]), let scope = Self.scope(row) else {
                return nil
            }
            return Grant(
                id: row["id"],
                account: AccountID(row["account"]),
                subject: Self.subject(row),
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

    /// The scope in a grant's row.
    /// - Returns: Nil for octets that are no valid folder path; the grant is then left out.
    private static func scope(_ row: StoreRow) -> Scope? {
        guard let folder: Data = row["folder"] else { return .account }
        guard let path = FolderPath(octets: Array(folder)) else { return nil }
        return row["subtree"] ? .subtree(path) : .folder(path)
    }

    /// Withdrawals, local and imported.
    func loadWithdrawals(where filter: RowFilter = .all) throws -> [Withdrawal] {
        try filter.rows(self, of: "SELECT * FROM withdrawal").map { row in
            Withdrawal(
                account: AccountID(row["account"]),
                subject: Self.subject(row),
                view: row["view"],
                send: row["send"],
                source: Source(rawValue: row["source"]) ?? .local
            )
        }
    }

    /// Walls, with their reasons.
    func loadWalls(where filter: RowFilter = .all) throws -> [Wall] {
        try filter.rows(self, of: "SELECT * FROM wall").map { row in
            Wall(
                account: AccountID(row["account"]),
                subject: Self.subject(row),
                reason: row["reason"]
            )
        }
    }
}
