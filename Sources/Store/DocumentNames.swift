import Access

/// The keys of all names in the store, read once. A document names each of them many times.
struct DocumentNames {
    private var users: [ExactText: Int64] = [:]
    private var groups: [ExactText: Int64] = [:]
    private var addresses: [ExactText: Int64] = [:]
    /// The primary addresses among ``addresses``.
    private var primaries: [ExactText: Int64] = [:]

    /// Reads all names.
    init(_ transaction: StoreTransaction) throws {
        try transaction.forEach(sql: "SELECT id, login FROM user") {
            self.users[ExactText($0[1])] = $0[0]
        }
        try transaction.forEach(sql: "SELECT id, name FROM \"group\"") {
            self.groups[ExactText($0[1])] = $0[0]
        }
        try transaction.forEach(sql: "SELECT address, account, isPrimary FROM address") { row in
            let address = ExactText(row[0])
            self.addresses[address] = row[1]
            if row[2] { self.primaries[address] = row[1] }
        }
    }

    /// The subject of a name.
    /// - Parameters:
    ///   - text: A login, or `group:NAME`.
    ///   - transaction: Where an unknown name is looked up, for the error.
    /// - Throws: ``StoreError`` as ``StoreTransaction/subject(text:)``.
    func subject(_ text: String, transaction: StoreTransaction) throws -> Subject {
        if text.hasPrefix("group:") {
            if let id = self.groups[ExactText(String(text.dropFirst(6)))] {
                return .group(GroupID(id))
            }
        } else if let id = try self.users[ExactText(text)]
            ?? self.users[ExactText(PermissionStore.address(text).description)]
        {
            return .user(UserID(id))
        }
        return try transaction.subject(text: text)
    }

    /// The key of the account that has an address.
    /// - Throws: ``StoreError`` as ``StoreTransaction/accountID(text:)``.
    func account(_ text: String, transaction: StoreTransaction) throws -> Int64 {
        // Names in the store are normalized, and those of a document usually, too.
        if let id = self.addresses[ExactText(text)] { return id }
        let address = ExactText(try PermissionStore.address(text).description)
        if let id = self.addresses[address] { return id }
        return try transaction.accountID(text: text)
    }

    /// The key of the account that has this primary address, in its normalized form.
    func account(primary name: ExactText) -> Int64? { self.primaries[name] }

    /// Whether an account has this address, in its normalized form.
    func isAddress(_ text: String) -> Bool { self.addresses[ExactText(text)] != nil }
}
