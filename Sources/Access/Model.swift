/// A user's key in the store.
package struct UserID: Hashable, Comparable, Sendable {
    package let rawValue: Int64

    package init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static func < (one: UserID, other: UserID) -> Bool { one.rawValue < other.rawValue }
}

/// A group's key in the store.
package struct GroupID: Hashable, Comparable, Sendable {
    package let rawValue: Int64

    package init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static func < (one: GroupID, other: GroupID) -> Bool { one.rawValue < other.rawValue }
}

/// An account's key in the store.
package struct AccountID: Hashable, Comparable, Sendable {
    package let rawValue: Int64

    package init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    package static func < (one: AccountID, other: AccountID) -> Bool {
        one.rawValue < other.rawValue
    }
}

/// Who a grant, a withdrawal or a wall is about.
package enum Subject: Hashable, Sendable {
    case user(UserID)
    case group(GroupID)
    /// Whoever logs in: Exchange's `Default`, which nothing but an import names.
    case everyone
}

/// Somebody who logs in to the gateway.
package struct User: Hashable, Sendable {
    package var id: UserID
    package var login: Address
    package var isDisabled: Bool
    /// What the user is called, in UTF-8; nil where nobody has said.
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
    package var id: GroupID
    package var name: String
    package var members: [Subject]

    package init(id: GroupID, name: String, members: [Subject]) {
        self.id = id
        self.name = name
        self.members = members
    }
}

/// One mailbox on one server.
package struct Account: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case imap
        case exchange
    }

    /// Where copies of what others send from it are filed.
    package enum SentCopy: String, Hashable, Sendable {
        /// In the account's own Sent folder.
        case owner
        /// In the Sent folder of whoever sends.
        case sender
        case both
        case none
    }

    package var id: AccountID
    package var address: Address
    package var aliases: [Address]
    package var kind: Kind
    /// Nil for a function mailbox.
    package var owner: UserID?
    package var isDisabled: Bool
    package var sentCopy: SentCopy
    /// Whether its server puts what is sent through it into its Sent folder by itself.
    package var filesSentMail: Bool

    package init(
        id: AccountID,
        address: Address,
        aliases: [Address] = [],
        kind: Kind = .imap,
        owner: UserID? = nil,
        isDisabled: Bool = false,
        sentCopy: SentCopy = .none,
        filesSentMail: Bool = false
    ) {
        self.id = id
        self.address = address
        self.aliases = aliases
        self.kind = kind
        self.owner = owner
        self.isDisabled = isDisabled
        self.sentCopy = sentCopy
        self.filesSentMail = filesSentMail
    }
}

/// Where a rule comes from.
package enum Source: String, Hashable, Sendable {
    case local
    case exchange
}

/// A subject may do `rights` in `scope` on an account, and send from it.
package struct Grant: Hashable, Sendable {
    package var id: Int64
    package var account: AccountID
    package var subject: Subject
    package var rights: Rights
    package var send: SendRight
    package var scope: Scope
    package var source: Source
    /// The group in Exchange through which an imported grant reaches the user.
    package var via: String?
    package var until: Moment?
    /// Whether it was confirmed, where that is asked for: by the owner, or by the administrator
    /// for what everyone is to have.
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

    /// Whether it waits for the owner's word.
    package var isPending: Bool { !self.isConfirmed && self.source == .local }

    func isInForce(at moment: Moment) -> Bool {
        self.isConfirmed && (self.until.map { moment < $0 } ?? true)
    }
}

/// A removal that outlasts every import: takes the view side, the send side or both away.
package struct Withdrawal: Hashable, Sendable {
    package var account: AccountID
    package var subject: Subject
    package var view: Bool
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

/// Bars a subject from an account, whatever is granted.
package struct Wall: Hashable, Sendable {
    package var account: AccountID
    package var subject: Subject
    package var reason: String

    package init(account: AccountID, subject: Subject, reason: String) {
        self.account = account
        self.subject = subject
        self.reason = reason
    }
}
