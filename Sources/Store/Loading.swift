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
    /// Reads all tables into a snapshot.
    /// - Parameter generation: The number of the file in this process; see
    ///   ``SQLiteDatabase/generation``.
    func snapshot(generation: Int) throws -> StoreSnapshot {
        var builder = SnapshotBuilder()
        try self.forEachUser { builder.insert($0) }
        builder.setGroups(try self.loadGroups())
        var endpoints = PersistentTable<AccountID, UpstreamAccount>()
        try self.forEachAccount { account, endpoint in
            builder.insert(account)
            endpoints[account.id] = endpoint
        }
        try self.forEachAccountsGrants { builder.set($0, on: $1) }
        builder.set(withdrawals: try self.loadWithdrawals(), walls: try self.loadWalls())
        var passwords = PersistentTable<UserID, PasswordRecord>()
        try self.forEachPassword { passwords[$0] = $1 }
        return StoreSnapshot(
            access: Snapshot(revision: try self.revision(), builder: builder),
            endpoints: endpoints,
            passwords: passwords,
            appPasswords: PersistentTable(try self.appPasswordRecords().map { ($0.key, $0.value) }),
            generation: generation
        )
    }

    /// Users, without their passwords. A login that is no valid address is left out.
    /// - Parameter filter: A condition on the table `user`.
    func loadUsers(where filter: RowFilter = .all) throws -> [User] {
        var users: [User] = []
        try self.forEachUser(where: filter) { users.append($0) }
        return users
    }

    /// Reads users, as ``loadUsers(where:)``.
    private func forEachUser(where filter: RowFilter = .all, body: (User) -> Void) throws {
        try filter.forEach(self, of: "SELECT id, login, disabled, name FROM user") { row in
            guard let login = Address((row[1] as String).utf8) else { return }
            let name = (row[3] as String?).map { Array($0.utf8) }
            body(User(id: UserID(row[0]), login: login, isDisabled: row[2], name: name))
        }
    }

    /// The password hashes of users who have one.
    /// - Parameter filter: A condition on the table `user`.
    func passwords(where filter: RowFilter = .all) throws -> [UserID: PasswordRecord] {
        var passwords: [UserID: PasswordRecord] = [:]
        try self.forEachPassword(where: filter) { passwords[$0] = $1 }
        return passwords
    }

    /// Reads password hashes, as ``passwords(where:)``.
    private func forEachPassword(
        where filter: RowFilter = .all,
        body: (UserID, PasswordRecord) -> Void
    ) throws {
        try filter.and("password IS NOT NULL").forEach(
            self,
            of: "SELECT id, password, passwordVersion FROM user"
        ) { row in
            let hash = PasswordHash(text: row[1])
            body(UserID(row[0]), PasswordRecord(hash: hash, version: row[2]))
        }
    }

    /// All groups with their direct members.
    private func loadGroups() throws -> [Group] {
        var members: [Int64: [Subject]] = [:]
        try self.forEach(sql: "SELECT \"group\", user, inner FROM member") { row in
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
        var accounts: [Account] = []
        var endpoints: [AccountID: UpstreamAccount] = [:]
        try self.forEachAccount(where: filter) { account, endpoint in
            accounts.append(account)
            endpoints[account.id] = endpoint
        }
        return (accounts, endpoints)
    }

    /// Reads accounts, as ``loadAccounts(where:)``.
    private func forEachAccount(
        where filter: RowFilter = .all,
        body: (Account, UpstreamAccount) -> Void
    ) throws {
        var aliases: [Int64: [Address]] = [:]
        let joined = "FROM account JOIN address ON address.account = account.id"
        try filter.and("isPrimary = 0").forEach(
            self,
            of: "SELECT address, account \(joined)",
            order: "ORDER BY address"
        ) { row in
            guard let address = Address((row[0] as String).utf8) else { return }
            aliases[row[1], default: []].append(address)
        }
        try filter.and("isPrimary = 1").forEach(
            self,
            of: "SELECT account.*, address.address AS primaryAddress \(joined)"
        ) { row in
            let text: String = row["primaryAddress"]
            guard let address = Address(text.utf8) else { return }
            let id = AccountID(row["id"])
            let endpoint = Self.upstream(row, id: id, address: text)
            let account = Account(
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
            body(account, endpoint)
        }
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

    /// The columns of a grant, at the positions that ``grant(_:)`` reads.
    private static let grantColumns = """
        SELECT id, account, user, "group", everyone, rights, send, folder, subtree, source, via,
            until, confirmed FROM "grant"
        """

    /// A row of ``grantColumns``.
    private static func grant(_ row: StoreRow) -> Grant? {
        guard let rights = Rights(letters: row[5]),
            let scope = Self.scope(row[7], isSubtree: row[8])
        else {
            return nil
        }
        let isEveryone: Bool = row[4]
        let user = (row[2] as Int64?).map { Subject.user(UserID($0)) }
        return Grant(
            id: row[0],
            account: AccountID(row[1]),
            subject: user ?? (isEveryone ? .everyone : .group(GroupID(row[3] ?? 0))),
            rights: rights,
            send: SendRight(name: row[6]),
            scope: scope,
            source: Source(rawValue: row[9]) ?? .local,
            via: row[10],
            until: (row[11] as Int64?).map(Moment.init(seconds:)),
            isConfirmed: row[12]
        )
    }

    /// Grants, also those that ended or wait for confirmation: `Access` evaluates these fields.
    func loadGrants(where filter: RowFilter = .all) throws -> [Grant] {
        var grants: [Grant] = []
        try filter.forEach(self, of: Self.grantColumns) { row in
            if let grant = Self.grant(row) { grants.append(grant) }
        }
        return grants
    }

    /// Reads all grants, those of one account at a time, in ascending order of the accounts.
    private func forEachAccountsGrants(body: ([Grant], AccountID) -> Void) throws {
        var grants: [Grant] = []
        try self.forEach(sql: "\(Self.grantColumns) ORDER BY account") { row in
            guard let grant = Self.grant(row) else { return }
            if let last = grants.last, last.account != grant.account {
                body(grants, last.account)
                grants.removeAll(keepingCapacity: true)
            }
            grants.append(grant)
        }
        if let last = grants.last { body(grants, last.account) }
    }

    /// The scope in a grant's row.
    /// - Returns: Nil for octets that are no valid folder path; the grant is then left out.
    private static func scope(_ folder: Data?, isSubtree: Bool) -> Scope? {
        guard let folder else { return .account }
        guard let path = FolderPath(octets: Array(folder)) else { return nil }
        return isSubtree ? .subtree(path) : .folder(path)
    }

    /// Withdrawals, local and imported, in the order of their creation: of several rules the first
    /// is the reason of a decision.
    func loadWithdrawals(where filter: RowFilter = .all) throws -> [Withdrawal] {
        try filter.rows(self, of: "SELECT * FROM withdrawal", order: "ORDER BY id").map { row in
            Withdrawal(
                account: AccountID(row["account"]),
                subject: Self.subject(row),
                view: row["view"],
                send: row["send"],
                source: Source(rawValue: row["source"]) ?? .local
            )
        }
    }

    /// Walls, with their reasons, in the order of their creation.
    func loadWalls(where filter: RowFilter = .all) throws -> [Wall] {
        try filter.rows(self, of: "SELECT * FROM wall", order: "ORDER BY id").map { row in
            Wall(
                account: AccountID(row["account"]),
                subject: Self.subject(row),
                reason: row["reason"]
            )
        }
    }
}
