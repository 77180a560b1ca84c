/// The whole model as one document; a part that is nil is left alone by `apply`.
package struct ModelDocument: Codable, Equatable, Sendable {
    package struct Account: Codable, Equatable, Sendable {
        package var address: String
        package var kind: String
        @Nullable package var owner: String?
        package var aliases: [String]?
        package var imap: AccountRow.Server
        @Nullable package var smtp: AccountRow.Server?
        package var sentCopy: String?
        package var username: String?
        package var caFile: String?
    }

    /// `"account"`, or `{"folder": "Akten", "subtree": true}`.
    package enum Scope: Codable, Equatable, Sendable {
        case account
        case folder(String, isSubtree: Bool)
    }

    package struct Grant: Codable, Equatable, Sendable {
        package var account: String
        package var subject: String
        package var rights: String?
        package var send: String?
        package var scope: Scope
        @Nullable package var until: Int64?
        package var source: String?
        @Nullable package var reason: String?
        /// False for one that waits for the owner's word; else it is not written.
        package var confirmed: Bool?
    }

    package struct Withdrawal: Codable, Equatable, Sendable {
        package var account: String
        package var subject: String
        package var view: Bool
        package var send: Bool
    }

    package struct Wall: Codable, Equatable, Sendable {
        package var account: String
        package var subject: String
        package var reason: String
    }

    package var users: [UserRow]?
    package var groups: [GroupRow]?
    package var accounts: [Account]?
    package var grants: [Grant]?
    /// Those made here, of Exchange accounts.
    package var withdrawals: [Withdrawal]?
    package var walls: [Wall]?

    package init() {}
}

/// What `apply` would change, or has changed.
package struct ModelChanges: Equatable, Sendable {
    /// Of the store that was looked at.
    package var revision: Int64 = 0
    package var added: [String] = []
    package var removed: [String] = []

    package var isEmpty: Bool { self.added.isEmpty && self.removed.isEmpty }
}
