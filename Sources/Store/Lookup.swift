package import Access
import Foundation

extension PermissionStore {
    /// A login or an address as it is compared.
    /// - Throws: what is wrong with it, and what to write instead.
    package static func address(_ text: String) throws -> Address {
        let normalized = text.precomposedStringWithCanonicalMapping
        guard let address = Address(normalized.utf8) else {
            let domain = text.split(separator: "@").last.map(String.init) ?? ""
            if domain.utf8.contains(where: { $0 >= 0x80 }) {
                throw StoreError.refused(
                    "\(text): write the domain in its xn-- form, as DNS has it"
                )
            }
            throw StoreError.refused(
                "\(text) cannot be a login or an address: 1 to 254 characters, none of "
                    + "/ \\ * ! % \", no space nor anything that is not seen, no empty part of a domain"
            )
        }
        return address
    }

    /// A subject as it is called everywhere.
    /// - Throws: where there is none of this name.
    package func canonical(_ subject: String) throws -> String {
        try self.read { transaction in
            switch try transaction.subject(text: subject) {
            case .user: try PermissionStore.address(subject).description
            case .group, .everyone: subject
            }
        }
    }

    /// The path of a folder.
    package static func folder(_ text: String) throws -> FolderPath {
        guard let path = FolderPath(octets: Array(text.utf8)) else {
            throw StoreError.refused(
                "\(text) cannot be a folder: components with / between them, none empty, no "
                    + "control characters, \(FolderPath.maximumDepth) levels at most"
            )
        }
        return path
    }

    /// Every user, with the login and the addresses of the accounts that belong to the user.
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

/// The same within a transaction.
extension StoreTransaction {
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

    /// The primary address of an account that is named by any of its addresses; nil where none is.
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

    /// A login, or `group:NAME`.
    func subject(text: String) throws -> Subject {
        if text.hasPrefix("group:") {
            return .group(GroupID(try self.groupID(name: String(text.dropFirst(6)))))
        }
        return .user(UserID(try self.userID(login: text)))
    }
}
