package import Access
import Foundation

/// Names: parsing and look-up.
extension PermissionStore {
    /// Parses a login or an address into its normalized form, in which it is stored and
    /// compared. Unicode text is composed first (NFC).
    /// - Throws: ``StoreError`` of kind `refused` that says what is wrong with the text, and
    ///   what to write instead.
    package static func address(_ text: String) throws -> Address {
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        let normalized = isASCII ? text : text.precomposedStringWithCanonicalMapping
        guard let address = Address(normalized.utf8) else {
            let domain = text.split(separator: "@").last.map(String.init) ?? ""
            if domain.utf8.contains(where: { $0 >= 0x80 }) {
                throw StoreError.refused(
                    "\(text): write the domain in its ASCII form (xn--…)"
                )
            }
            throw StoreError.refused(
                "\(text) cannot be a login or an address: 1 to 254 characters, none of "
                    + "/ \\ * ! % \", no space, no invisible character, no empty part of a domain"
            )
        }
        return address
    }

    /// The normalized name of an existing subject.
    /// - Parameter subject: A login or `group:NAME`.
    /// - Throws: ``StoreError`` of kind `notFound` if there is no such subject.
    package func canonical(_ subject: String) throws -> String {
        try self.read { transaction in
            switch try transaction.subject(text: subject) {
            case .user: try PermissionStore.address(subject).description
            case .group, .everyone: subject
            }
        }
    }

    /// The primary addresses of accounts; those that are gone have none.
    package func addresses(of accounts: Set<AccountID>) throws -> [AccountID: String] {
        let found = try self.read { try $0.primaries(of: Set(accounts.map(\.rawValue))) }
        return Dictionary(uniqueKeysWithValues: found.map { (AccountID($0.key), $0.value) })
    }

    /// Parses a folder path with `/` between its components.
    /// - Throws: ``StoreError`` of kind `refused` for an invalid path.
    package static func folder(_ text: String) throws -> FolderPath {
        guard let path = FolderPath(octets: Array(text.utf8)) else {
            throw StoreError.refused(
                "\(text) cannot be a folder: components with / between them, none empty, no "
                    + "control characters, \(FolderPath.maximumDepth) levels at most"
            )
        }
        return path
    }

    /// Every user with the addresses that are the user's own: the login, and all addresses of
    /// the accounts that the user owns. Sorted by login.
    package func people() throws -> [Person] {
        try self.read { transaction in
            let owned = try transaction.rows(
                sql: """
                    SELECT user.login, address.address FROM user
                    LEFT JOIN account ON account.owner = user.id
                    LEFT JOIN address ON address.account = account.id
                    """
            )
            var people: [String: Set<String>] = [:]
            for row in owned {
                let login: String = row["login"]
                people[login, default: [login]].formUnion([row["address"]].compactMap { $0 })
            }
            return people.sorted { $0.key < $1.key }.map { Person(login: $0, addresses: $1) }
        }
    }
}

/// Look-up of keys by name, inside a transaction. Each function throws ``StoreError`` of kind
/// `notFound`, with the command that creates the missing thing.
extension StoreTransaction {
    /// The key of a user, disabled users included.
    /// - Throws: ``StoreError``; also for a text that cannot be a login.
    func userID(login: String) throws -> Int64 {
        let address = try PermissionStore.address(login)
        let id = try self.value(
            of: Int64.self,
            sql: "SELECT id FROM user WHERE login = ?",
            arguments: [address.description]
        )
        guard let id else {
            throw StoreError.notFound("no user \(login): gatepost user add \(login)")
        }
        return id
    }

    /// The key of a group.
    /// - Parameter name: The name without the prefix `group:`, compared octet for octet.
    func groupID(name: String) throws -> Int64 {
        let id = try self.value(
            of: Int64.self,
            sql: "SELECT id FROM \"group\" WHERE name = ?",
            arguments: [name]
        )
        guard let id else {
            throw StoreError.notFound("no group \(name): gatepost group add \(name)")
        }
        return id
    }

    /// The key of the account that has an address, as primary address or alias.
    /// - Throws: ``StoreError``; also for a text that cannot be an address.
    func accountID(text: String) throws -> Int64 {
        let address = try PermissionStore.address(text)
        let id = try self.value(
            of: Int64.self,
            sql: "SELECT account FROM address WHERE address = ?",
            arguments: [address.description]
        )
        guard let id else {
            throw StoreError.notFound("no account \(text): gatepost account add \(text) …")
        }
        return id
    }

    /// The primary address of the account that has an address; nil if there is none.
    func primary(named text: String) throws -> String? {
        guard let address = try? PermissionStore.address(text) else { return nil }
        return try self.value(
            of: String.self,
            sql: """
                SELECT main.address FROM address
                JOIN address AS main ON main.account = address.account AND main.isPrimary = 1
                WHERE address.address = ?
                """,
            arguments: [address.description]
        )
    }

    /// The subject of a name: a login, or `group:NAME`.
    func subject(text: String) throws -> Subject {
        if text.hasPrefix("group:") {
            return .group(GroupID(try self.groupID(name: String(text.dropFirst(6)))))
        }
        return .user(UserID(try self.userID(login: text)))
    }
}
