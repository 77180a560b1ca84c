import Access

/// The accounts of a document.
extension StoreTransaction {
    /// Adds, changes and removes accounts. Aliases that an account loses are deleted first,
    /// because accounts may exchange theirs.
    /// - Throws: ``StoreError`` for an address that occurs twice, and as ``apply(_:)``.
    func apply(accounts: [ModelDocument.Account]) throws {
        let addresses = try accounts.map { try PermissionStore.address($0.address) }
        try Self.requireDistinct("accounts", keys: addresses.map { [$0] }) {
            addresses[$0].description
        }
        let kept = Set(addresses.map { ExactText($0.description) })
        let present = try self.rows(
            sql: "SELECT address, account FROM address WHERE isPrimary = 1"
        )
        var keys: [Int64: ExactText] = [:]
        for row in present {
            let (id, address): (Int64, ExactText) = (row["account"], ExactText(row["address"]))
            keys[id] = address
            guard !kept.contains(address) else { continue }
            try self.execute(sql: "DELETE FROM account WHERE id = ?", arguments: [id])
        }
        try self.removeAliases(notIn: Array(zip(addresses, accounts)), primaries: keys)
        // The removal of a user has taken the user's accounts their owner: an account is unchanged
        // only if it is now as in the document.
        let now = Dictionary(
            try self.documentAccounts().map { (ExactText($0.address), $0) }
        ) { first, _ in first }
        for account in accounts
        where now[ExactText(account.address)]?.isSame(as: account) != true {
            try self.apply(account)
        }
    }

    /// Deletes the aliases that no account of a document has, or that another one has.
    /// - Parameter primaries: The primary addresses by the keys of the accounts.
    private func removeAliases(
        notIn accounts: [(Address, ModelDocument.Account)],
        primaries: [Int64: ExactText]
    ) throws {
        var holders: [ExactText: Set<ExactText>] = [:]
        for (address, account) in accounts {
            for alias in account.aliases ?? [] {
                let name = ExactText(try PermissionStore.address(alias).description)
                holders[name, default: []].insert(ExactText(address.description))
            }
        }
        for row in try self.rows(sql: "SELECT address, account FROM address WHERE isPrimary = 0") {
            let wanted = holders[ExactText(row["address"])] ?? []
            if let holder = primaries[row["account"]], wanted.contains(holder) { continue }
            try self.execute(
                sql: "DELETE FROM address WHERE address = ?",
                arguments: [row["address"] as String]
            )
        }
    }

    /// Adds or changes one account; the credential stays as it is.
    /// - Throws: ``StoreError`` for an unknown kind, a change of kind, an unknown owner, an
    ///   unusable endpoint, and an address in use.
    func apply(_ account: ModelDocument.Account) throws {
        let address = try PermissionStore.address(account.address)
        guard let kind = Access.Account.Kind(rawValue: account.kind) else {
            throw StoreError.refused("the kind of \(address) must be imap or exchange")
        }
        let imap = try Self.endpoint(account.imap, address: address)
        let smtp = try account.smtp.map { try Self.endpoint($0, address: address) }
        let owner = try account.owner.map { try self.userID(login: $0) }
        var id = try self.value(
            of: Int64.self,
            sql: "SELECT account FROM address WHERE address = ? AND isPrimary = 1",
            arguments: [address.description]
        )
        if let id, try self.kind(of: id) != kind {
            throw StoreError.refused(
                "the kind of \(address) cannot change: remove the account and add it again"
            )
        }
        if id == nil {
            try self.checkFree(address)
            try self.execute(
                sql: """
                    INSERT INTO account (kind, imapHost, imapPort, imapTLS, username)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    kind.rawValue, imap.host, imap.port, imap.tls.rawValue, address.description,
                ]
            )
            id = try self.insertedKey()
            try self.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 1)",
                arguments: [address.description, id]
            )
        }
        try self.execute(
            sql: """
                UPDATE account SET kind = ?, owner = ?, imapHost = ?, imapPort = ?, imapTLS = ?,
                smtpHost = ?, smtpPort = ?, smtpTLS = ?, sentCopy = ?,
                sentCopyRequired = ?, username = coalesce(?, username), caFile = ? WHERE id = ?
                """,
            arguments: [
                kind.rawValue, owner, imap.host, imap.port, imap.tls.rawValue, smtp?.host,
                smtp?.port, smtp?.tls.rawValue, account.sentCopy ?? "none",
                account.sentCopyRequired ?? false, account.username, account.caFile, id,
            ]
        )
        let present = try self.values(
            of: String.self,
            sql: "SELECT address FROM address WHERE account = ? AND isPrimary = 0",
            arguments: [id]
        )
        var known = Set(present.map(ExactText.init))
        for alias in account.aliases ?? [] {
            let other = try PermissionStore.address(alias)
            // Only once: an alias that the document has twice is refused.
            if known.remove(ExactText(other.description)) != nil { continue }
            try self.checkFree(other)
            try self.execute(
                sql: "INSERT INTO address (address, account, isPrimary) VALUES (?, ?, 0)",
                arguments: [other.description, id]
            )
        }
    }

    /// - Throws: ``StoreError`` for an unknown `tls`, and as ``check(_:)``.
    private static func endpoint(
        _ server: AccountRow.Server,
        address: Address
    ) throws -> Endpoint {
        guard let tls = Endpoint.Security(rawValue: server.tls) else {
            throw StoreError.refused("the tls of \(address) must be implicit, starttls or none")
        }
        let endpoint = Endpoint(host: server.host, port: server.port, tls: tls)
        try Self.check(endpoint)
        return endpoint
    }
}
