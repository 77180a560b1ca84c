/// The whole permission model as one JSON document, for `gatepost export` and `apply`. A part
/// that is nil stays as it is when the document is applied. Passwords and credentials are never
/// part of it.
package struct ModelDocument: Encodable, Equatable, Sendable {
    /// An account, without its credential.
    package struct Account: Encodable, Equatable, Sendable {
        /// The primary address, which identifies the account.
        package var address: String
        /// `imap` or `exchange`; it cannot change.
        package var kind: String
        /// The owner's login; nil for none.
        @Nullable package var owner: String?
        /// The other addresses; nil for none.
        package var aliases: [String]?
        /// The server that holds the mailboxes.
        package var imap: AccountRow.Server
        /// The server that accepts mail from the account; nil for none.
        @Nullable package var smtp: AccountRow.Server?
        /// `owner`, `sender`, `both` or `none`; nil is `none`.
        package var sentCopy: String?
        /// True if a message is refused when no copy of it can be kept; otherwise the key is not
        /// written.
        package var sentCopyRequired: Bool?
        /// The user name at the servers; nil leaves it as it is.
        package var username: String?
        /// The path of a PEM file with certificates to trust; nil for the system's.
        package var caFile: String?
    }

    /// The scope of a grant: `"account"`, or `{"folder": "Akten", "subtree": true}`.
    package enum Scope: Encodable, Equatable, Sendable {
        /// The whole account.
        case account
        /// A folder's path, and whether the folders below it are included.
        case folder(String, isSubtree: Bool)
    }

    /// A grant, identified by all of its fields but `source` and `confirmed`.
    package struct Grant: Encodable, Equatable, Sendable {
        /// Any address of the account.
        package var account: String
        /// A login, `group:NAME`, or `anyone` in an imported grant.
        package var subject: String
        /// Letters of `lrswipkxte`; nil for none.
        package var rights: String?
        /// `none`, `on-behalf` or `as`; nil is `none`.
        package var send: String?
        /// Required: a forgotten key must not share the whole account.
        package var scope: Scope
        /// Seconds since 1970; nil for a grant without an end.
        @Nullable package var until: Int64?
        /// `local` or `exchange`; nil is `local`. Imported grants are exported, and ignored
        /// when the document is applied.
        package var source: String?
        /// The reason that the author gave.
        @Nullable package var reason: String?
        /// False for a grant that waits for the owner's confirmation; otherwise the key is not
        /// written.
        package var confirmed: Bool?
    }

    /// A local withdrawal from an Exchange account.
    package struct Withdrawal: Encodable, Equatable, Sendable {
        /// Any address of the account.
        package var account: String
        /// A login or `group:NAME`.
        package var subject: String
        /// Whether the rights in folders are withdrawn.
        package var view: Bool
        /// Whether the right to send is withdrawn.
        package var send: Bool
    }

    /// A wall between an account and a subject.
    package struct Wall: Encodable, Equatable, Sendable {
        /// Any address of the account.
        package var account: String
        /// A login or `group:NAME`.
        package var subject: String
        /// Required; see ``PermissionStore/addWall(account:subject:reason:actor:)``.
        package var reason: String
    }

    /// All users.
    package var users: [UserRow]?
    /// All groups.
    package var groups: [GroupRow]?
    /// All accounts.
    package var accounts: [Account]?
    /// All local grants; an export has the imported ones, too.
    package var grants: [Grant]?
    /// The local withdrawals; those of Exchange are imported, not exported.
    package var withdrawals: [Withdrawal]?
    /// All walls.
    package var walls: [Wall]?

    /// Creates a document that changes nothing.
    package init() {}
}

/// The changes that applying a document makes, or would make.
package struct ModelChanges: Equatable, Sendable {
    /// The revision of the store with which the document was compared.
    package var revision: Int64 = 0
    /// Entries that the store lacks, one line each.
    package var added: [String] = []
    /// Entries that the document lacks, one line each.
    package var removed: [String] = []

    /// Creates changes of which there are none yet.
    init(revision: Int64 = 0) {
        self.revision = revision
    }

    /// Whether the store equals the document already.
    package var isEmpty: Bool { self.added.isEmpty && self.removed.isEmpty }
}
