/// The primary key of a user in the store.
package struct UserID: Hashable, Comparable, Sendable {
    package let rawValue: Int64

    package init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static func < (one: UserID, other: UserID) -> Bool { one.rawValue < other.rawValue }
}

/// The primary key of a group in the store.
package struct GroupID: Hashable, Comparable, Sendable {
    package let rawValue: Int64

    package init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static func < (one: GroupID, other: GroupID) -> Bool { one.rawValue < other.rawValue }
}

/// The primary key of an account in the store.
package struct AccountID: Hashable, Comparable, Sendable {
    package let rawValue: Int64

    package init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static func < (one: AccountID, other: AccountID) -> Bool {
        one.rawValue < other.rawValue
    }
}

/// The subject of a grant, a withdrawal or a wall.
package enum Subject: Hashable, Sendable {
    case user(UserID)
    case group(GroupID)
    /// Every user: Exchange's `Default` entry. Only an import creates it.
    case everyone
}

/// A user who logs in to the gateway.
package struct User: Hashable, Sendable {
    package var id: UserID
    /// The name to log in with.
    package var login: Address
    /// Whether logins are refused.
    package var isDisabled: Bool
    /// The display name in UTF-8; nil if none was set.
    package var name: [UInt8]?

    package init(id: UserID, login: Address, isDisabled: Bool = false, name: [UInt8]? = nil) {
        self.id = id
        self.login = login
        self.isDisabled = isDisabled
        self.name = name
    }
}

/// A named set of users and groups.
package struct Group: Hashable, Sendable {
    /// The key in the store.
    package var id: GroupID
    package var name: String
    /// The direct members: users and groups.
    package var members: [Subject]

    package init(id: GroupID, name: String, members: [Subject]) {
        self.id = id
        self.name = name
        self.members = members
    }
}

/// A mailbox on a mail server.
package struct Account: Hashable, Sendable {
    /// The kind of mail server.
    package enum Kind: String, Hashable, Sendable {
        /// Any IMAP server; grants are local.
        case imap
        /// Microsoft Exchange; grants are imported.
        case exchange
    }

    /// The Sent folders that get a copy of a message that another user sends from the account.
    package enum SentCopy: String, Hashable, Sendable {
        /// The account's Sent folder.
        case owner
        /// The Sent folder of the sending user's personal account.
        case sender
        case both
        case none
    }

    package var id: AccountID
    /// The primary address: the account's name.
    package var address: Address
    /// Further addresses of the mailbox.
    package var aliases: [Address]
    package var kind: Kind
    /// The user that the mailbox belongs to; nil for a function mailbox.
    package var owner: UserID?
    /// Whether the account is disabled: no user has access, not even its owner.
    package var isDisabled: Bool
    package var sentCopy: SentCopy
    /// Whether a message is refused if no copy of it can be kept for the Sent folder.
    package var isSentCopyRequired: Bool
    /// Whether the account's submission server files each sent message into Sent itself.
    package var filesSentMail: Bool

    package init(
        id: AccountID,
        address: Address,
        aliases: [Address] = [],
        kind: Kind = .imap,
        owner: UserID? = nil,
        isDisabled: Bool = false,
        sentCopy: SentCopy = .none,
        isSentCopyRequired: Bool = false,
        filesSentMail: Bool = false
    ) {
        self.id = id
        self.address = address
        self.aliases = aliases
        self.kind = kind
        self.owner = owner
        self.isDisabled = isDisabled
        self.sentCopy = sentCopy
        self.isSentCopyRequired = isSentCopyRequired
        self.filesSentMail = filesSentMail
    }

    /// The primary address, then the aliases.
    var addresses: [Address] { [self.address] + self.aliases }
}

/// The origin of a grant or a withdrawal.
package enum Source: String, Hashable, Sendable {
    /// An administrator, in the store.
    case local
    /// An import of Exchange's permissions.
    case exchange
}

/// A grant: a subject has `rights` in `scope` of an account, and may send from it.
package struct Grant: Hashable, Sendable {
    package var id: Int64
    package var account: AccountID
    package var subject: Subject
    /// The folder rights; empty for a grant of sending only.
    package var rights: Rights
    /// The send right; it is one of the whole account, whatever the scope is.
    package var send: SendRight
    /// The folders that ``rights`` hold in.
    package var scope: Scope
    package var source: Source
    /// The Exchange group through which the user has an imported grant.
    package var via: String?
    /// The time at which the grant ends; nil for never.
    package var until: Moment?
    /// Whether a required confirmation was given: by the owner, or by an administrator for a grant
    /// to everyone.
    package var isConfirmed: Bool

    package init(
        id: Int64,
        account: AccountID,
        subject: Subject,
        rights: Rights,
        send: SendRight = .none,
        scope: Scope = .account,
        source: Source = .local,
        via: String? = nil,
        until: Moment? = nil,
        isConfirmed: Bool = true
    ) {
        self.id = id
        self.account = account
        self.subject = subject
        self.rights = rights
        self.send = send
        self.scope = scope
        self.source = source
        self.via = via
        self.until = until
        self.isConfirmed = isConfirmed
    }

    /// Whether the grant waits for the confirmation of the account's owner.
    package var isPending: Bool { !self.isConfirmed && self.source == .local }

    /// Whether the grant is confirmed and has not ended.
    func isInForce(at moment: Moment) -> Bool {
        self.isConfirmed && (self.until.map { moment < $0 } ?? true)
    }
}

/// A withdrawal: it removes folder rights, the send right or both, and survives every import.
package struct Withdrawal: Hashable, Sendable {
    package var account: AccountID
    package var subject: Subject
    /// Whether folder rights are removed.
    package var view: Bool
    /// Whether the send right is removed.
    package var send: Bool
    package var source: Source

    package init(
        account: AccountID,
        subject: Subject,
        view: Bool,
        send: Bool,
        source: Source = .local
    ) {
        self.account = account
        self.subject = subject
        self.view = view
        self.send = send
        self.source = source
    }
}

/// A wall: it bars a subject from an account, regardless of grants.
package struct Wall: Hashable, Sendable {
    package var account: AccountID
    package var subject: Subject
    /// The recorded reason.
    package var reason: String

    package init(account: AccountID, subject: Subject, reason: String) {
        self.account = account
        self.subject = subject
        self.reason = reason
    }
}
