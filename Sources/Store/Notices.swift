package import Access
import Foundation

/// A new grant that the account's owner is notified of.
struct GrantNotice {
    /// The grant's number.
    var id: Int64
    /// The key of the account's row.
    var account: Int64
    /// The consent setting in effect.
    var consent: Consent
    /// Whether the grant waits for the owner's confirmation.
    var isPending: Bool
    /// Who made the grant.
    var actor: String
}

/// A message to an account's owner, kept until it is in the owner's INBOX.
package struct Notice: Equatable, Sendable {
    /// The notice's number, in the order of creation.
    package var id: Int64
    /// The account whose INBOX receives the message.
    package var account: AccountID
    /// The text of the Subject header field.
    package var subject: String
    /// The text of the body, with LF line ends.
    package var text: String
    /// When the grant was made.
    package var created: Moment
    /// 16 random octets for the Message-ID; see ``StoreTransaction/noticeToken()``.
    package var token: [UInt8]
}

/// Notices that wait for delivery.
extension PermissionStore {
    /// The messages that are not delivered yet, oldest first.
    package func notices() throws -> [Notice] {
        try self.read { transaction in
            try transaction.rows(sql: "SELECT * FROM notice ORDER BY id").map { row in
                Notice(
                    id: row["id"],
                    account: AccountID(row["account"]),
                    subject: row["subject"],
                    text: row["text"],
                    created: Moment(seconds: row["created"]),
                    token: Array(row["token"] as Data)
                )
            }
        }
    }

    /// Removes a notice once the message is in the INBOX. The revision stays as it is, and the
    /// audit log gets no record.
    package func removeNotice(_ id: Int64) throws {
        try self.write(locking: .journal) { transaction in
            try transaction.execute(sql: "DELETE FROM notice WHERE id = ?", arguments: [id])
        }
    }
}

/// Notices inside a transaction.
extension StoreTransaction {
    /// Adds a notice for the account's owner, unless consent is off, the account has no owner,
    /// or the subject is the owner.
    func notify(
        _ notice: GrantNotice,
        of request: GrantRequest
    ) throws {
        guard notice.consent != .off else { return }
        let subject = try self.subject(text: request.subject)
        let rules = try self.rules(on: [notice.account], about: [subject])
        let account = AccountID(notice.account)
        guard let owner = rules.ownerToTell(of: subject, on: account) else { return }
        let name = try self.primary(of: notice.account)
        let login = rules.name(of: .user(owner)) ?? ""
        let isPending = notice.isPending
        var lines = [
            "\(notice.actor) has given \(request.subject) access to the mailbox \(name):", "",
            "    \(request.line)", "",
        ]
        if let reason = request.reason { lines += ["Reason: \(reason)", ""] }
        lines.append(
            isPending
                ? "It takes effect only after you agree. On the gateway's machine:\n\n"
                    + "    gatepost consent confirm \(notice.id) --as \(login)\n"
                    + "    gatepost consent refuse \(notice.id) --as \(login)\n\n"
                    + "The command asks for your password. Your administrator can help you."
                : "It is in effect now. Ask your administrator if you did not expect it."
        )
        try self.execute(
            sql: """
                INSERT INTO notice (account, subject, text, created, token) VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [
                notice.account,
                isPending
                    ? "Somebody asks for access to your mailbox"
                    : "Somebody was given access to your mailbox",
                lines.joined(separator: "\n"), Moment.current.seconds, Self.noticeToken(),
            ]
        )
    }

    /// 16 random octets. They make the Message-ID of the next notice unpredictable: otherwise
    /// somebody who can store messages in the INBOX could store one with that Message-ID, and
    /// the gateway would take the notice for delivered.
    static func noticeToken() -> Data {
        Data((0..<16).map { _ in UInt8.random(in: 0...255) })
    }
}
