/// What an owner changes of who may do what in a folder, from a mail client (RFC 4314 §3.1).
package struct ACLChange: Equatable, Sendable {
    package enum Kind: String, Sendable {
        case replace
        case add
        case remove
    }

    /// What became of it; all but `done` are thrown by the decision.
    package enum Outcome: Error, Equatable, Sendable {
        case done
        /// Nobody is called so, or it is nobody to whom something can be granted.
        case unknownIdentifier
        /// A grant for more than this folder gives what should go.
        case grantedElsewhere
        /// There is no room for another grant.
        case tooMany
        case failed
    }

    package var owner: UserID
    package var account: AccountID
    package var folder: FolderPath
    /// A login, or `group:NAME`, as the client sent it.
    package var identifier: [UInt8]
    package var kind: Kind
    package var rights: Rights

    package init(
        owner: UserID,
        account: AccountID,
        folder: FolderPath,
        identifier: [UInt8],
        kind: Kind,
        rights: Rights
    ) {
        self.owner = owner
        self.account = account
        self.folder = folder
        self.identifier = identifier
        self.kind = kind
        self.rights = rights
    }

    /// The identifier as a login, or `group:NAME`; nil for what is not UTF-8, for negative rights, and for
    /// identifiers of everybody: nothing can be granted to them here (RFC 4314 §2).
    package var subject: String? {
        guard let subject = String(validating: self.identifier, as: UTF8.self),
            !subject.hasPrefix("-"), subject != "anyone", subject != "anonymous"
        else { return nil }
        return subject
    }
}
