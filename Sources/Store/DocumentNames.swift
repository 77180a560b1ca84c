import Access

/// The keys of all names in the store, read once. A document names each of them many times.
struct DocumentNames {
    private var users: [ExactText: Int64] = [:]
    private var groups: [ExactText: Int64] = [:]
    private var addresses: [ExactText: Int64] = [:]

    /// Reads all names.
    init(_ transaction: StoreTransaction) throws {
        for row in try transaction.rows(sql: "SELECT id, login FROM user") {
            self.users[ExactText(row["login"])] = row["id"]
        }
        for row in try transaction.rows(sql: "SELECT id, name FROM \"group\"") {
            self.groups[ExactText(row["name"])] = row["id"]
        }
        for row in try transaction.rows(sql: "SELECT address, account FROM address") {
            self.addresses[ExactText(row["address"])] = row["account"]
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
        } else if let id = self.users[ExactText(try PermissionStore.address(text).description)] {
            return .user(UserID(id))
        }
        return try transaction.subject(text: text)
    }

    /// The key of the account that has an address.
    /// - Throws: ``StoreError`` as ``StoreTransaction/accountID(text:)``.
    func account(_ text: String, transaction: StoreTransaction) throws -> Int64 {
        let address = ExactText(try PermissionStore.address(text).description)
        if let id = self.addresses[address] { return id }
        return try transaction.accountID(text: text)
    }
}
