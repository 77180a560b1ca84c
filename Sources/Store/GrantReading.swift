import Access
import Foundation
import GRDB

/// Grants as rows of a list.
extension PermissionStore {
    package func grants(account: String?, subject: String?) throws -> [GrantRow] {
        try self.read { database in
            let id = try account.map { try Self.accountID(database, text: $0) }
            let (user, group) =
                try subject.map { try Self.subject(database, text: $0) } ?? (nil, nil)
            return try Self.grants(database).filter { row in
                (id == nil || row.accountID == id)
                    && (subject == nil || (row.user == user && row.group == group))
            }.map(\.row)
        }
    }

    static func grants(_ database: Database) throws -> [GrantOfStore] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT g.*, address.address,
                    coalesce(user.login, 'group:' || inner.name, 'anyone') AS subject
                FROM "grant" AS g
                JOIN address ON address.account = g.account AND isPrimary = 1
                LEFT JOIN user ON user.id = g.user
                LEFT JOIN "group" AS inner ON inner.id = g."group"
                ORDER BY address.address, subject, g.folder, g.id
                """
        )
        let withdrawals = try self.withdrawals(database)
        return try rows.map { row in
            let folder = (row["folder"] as Data?).map { String(decoding: $0, as: UTF8.self) }
            let user: Int64? = row["user"]
            let withdrawn = try withdrawals.filter { withdrawal in
                guard withdrawal.accountID == row["account"] else { return false }
                if withdrawal.group != nil, withdrawal.group == row["group"] { return true }
                guard let user else { return false }
                return try withdrawal.user == user
                    || withdrawal.group.map { try self.isMember(user, of: $0, database: database) }
                        ?? false
            }
            let sides = [
                withdrawn.contains(where: \.row.view) && row["rights"] != "" ? "view" : nil,
                withdrawn.contains(where: \.row.send) && row["send"] != "none" ? "send" : nil,
            ].compactMap { $0 }
            let shown = GrantRow(
                id: row["id"],
                account: row["address"],
                subject: row["subject"],
                rights: row["rights"],
                send: row["send"],
                folder: folder,
                subtree: row["subtree"],
                source: row["source"],
                via: row["via"],
                confirmed: row["confirmed"],
                until: row["until"],
                author: row["author"],
                created: row["created"],
                reason: row["reason"],
                withdrawn: sides.isEmpty ? nil : sides.joined(separator: " ")
            )
            return (row["account"], row["user"], row["group"], shown)
        }
    }
}
