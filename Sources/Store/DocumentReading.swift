package import Foundation

/// Reading of a document.
extension ModelDocument {
    private enum Key: String, CaseIterable {
        case users, groups, accounts, grants, withdrawals, walls
    }

    private static let keys = JSONKeys(Key.self)

    /// Reads a document.
    ///
    /// An unknown key is an error: with a misspelt `scope`, a grant on one folder would become a
    /// grant on the whole account.
    /// - Parameter octets: JSON in UTF-8 (RFC 8259 §8.1).
    /// - Throws: ``JSONError``.
    package init(json octets: Data) throws(JSONError) {
        // Data rethrows any error, without its type.
        let result = octets.withUnsafeBytes { octets in
            Result { () throws(JSONError) in
                try JSONReader.read(octets) { reader throws(JSONError) in
                    try ModelDocument(&reader)
                }
            }
        }
        self = try result.get()
    }

    private init(_ reader: inout JSONReader) throws(JSONError) {
        var document = ModelDocument()
        try reader.object(Self.keys) { reader, key throws(JSONError) in
            switch key {
            case .users: document.users = try reader.entries(UserRow.init(reading:))
            case .groups: document.groups = try reader.entries(GroupRow.init(reading:))
            case .accounts: document.accounts = try reader.entries(Account.init(reading:))
            case .grants: document.grants = try reader.entries(Grant.init(reading:))
            case .withdrawals:
                document.withdrawals = try reader.entries(Withdrawal.init(reading:))
            case .walls: document.walls = try reader.entries(Wall.init(reading:))
            }
        }
        self = document
    }
}

extension JSONReader {
    /// Reads a part of a document; nil for `null`.
    fileprivate mutating func entries<Entry>(
        _ entry: (inout JSONReader) throws(JSONError) -> Entry
    ) throws(JSONError) -> [Entry]? {
        try self.optional { reader throws(JSONError) in try reader.array(entry) }
    }

    /// Reads a text; nil for `null`.
    fileprivate mutating func text() throws(JSONError) -> String? {
        try self.optional { reader throws(JSONError) in try reader.string() }
    }

    /// Reads texts.
    fileprivate mutating func texts() throws(JSONError) -> [String] {
        try self.array { reader throws(JSONError) in try reader.string() }
    }

    /// Reads a truth value; nil for `null`.
    fileprivate mutating func truth() throws(JSONError) -> Bool? {
        try self.optional { reader throws(JSONError) in try reader.bool() }
    }
}

extension UserRow {
    private enum Key: String, CaseIterable { case login, name, role, disabled, osUser }
    private static let keys = JSONKeys(Key.self, required: [.login, .disabled])

    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        var row = UserRow(login: "", name: nil, role: nil, disabled: false)
        try reader.object(Self.keys) { reader, key throws(JSONError) in
            switch key {
            case .login: row.login = try reader.string()
            case .name: row.name = try reader.text()
            case .role: row.role = try reader.text()
            case .disabled: row.disabled = try reader.bool()
            case .osUser: row.osUser = try reader.text()
            }
        }
        self = row
    }
}

extension GroupRow {
    private enum Key: String, CaseIterable { case name, members, ldap }
    private static let keys = JSONKeys(Key.self, required: [.name, .members])

    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        var row = GroupRow(name: "", members: [])
        try reader.object(Self.keys) { reader, key throws(JSONError) in
            switch key {
            case .name: row.name = try reader.string()
            case .members: row.members = try reader.texts()
            case .ldap: row.ldap = try reader.text()
            }
        }
        self = row
    }
}

extension AccountRow.Server {
    private enum Key: String, CaseIterable { case host, port, tls }
    private static let keys = JSONKeys(Key.self, required: [.host, .port, .tls])

    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        var server = AccountRow.Server(host: "", port: 0, tls: "")
        try reader.object(Self.keys) { reader, key throws(JSONError) in
            switch key {
            case .host: server.host = try reader.string()
            case .port: server.port = Int(try reader.integer())
            case .tls: server.tls = try reader.string()
            }
        }
        self = server
    }
}

extension ModelDocument.Account {
    private enum Key: String, CaseIterable {
        case address, kind, owner, aliases, imap, smtp, sentCopy, sentCopyRequired, username, caFile
    }
    private static let keys = JSONKeys(Key.self, required: [.address, .kind, .imap])

    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        var account = ModelDocument.Account(
            address: "",
            kind: "",
            imap: AccountRow.Server(host: "", port: 0, tls: "")
        )
        try reader.object(Self.keys) { reader, key throws(JSONError) in
            switch key {
            case .address: account.address = try reader.string()
            case .kind: account.kind = try reader.string()
            case .owner: account.owner = try reader.text()
            case .aliases:
                account.aliases = try reader.optional { reader throws(JSONError) in
                    try reader.texts()
                }
            case .imap: account.imap = try AccountRow.Server(reading: &reader)
            case .smtp: account.smtp = try reader.optional(AccountRow.Server.init(reading:))
            case .sentCopy: account.sentCopy = try reader.text()
            case .sentCopyRequired: account.sentCopyRequired = try reader.truth()
            case .username: account.username = try reader.text()
            case .caFile: account.caFile = try reader.text()
            }
        }
        self = account
    }
}

extension ModelDocument.Grant {
    private enum Key: String, CaseIterable {
        case account, subject, rights, send, scope, until, source, reason, confirmed
    }
    /// The scope is required: a forgotten key must not share the whole account.
    private static let keys = JSONKeys(Key.self, required: [.account, .subject, .scope])

    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        var grant = ModelDocument.Grant(account: "", subject: "", scope: .account)
        try reader.object(Self.keys) { reader, key throws(JSONError) in
            switch key {
            case .account: grant.account = try reader.string()
            case .subject: grant.subject = try reader.string()
            case .rights: grant.rights = try reader.text()
            case .send: grant.send = try reader.text()
            case .scope:
                grant.scope =
                    try reader.optional(ModelDocument.Scope.init(reading:)) ?? .account
            case .until:
                grant.until = try reader.optional { reader throws(JSONError) in
                    try reader.integer()
                }
            case .source: grant.source = try reader.text()
            case .reason: grant.reason = try reader.text()
            case .confirmed: grant.confirmed = try reader.truth()
            }
        }
        self = grant
    }
}

extension ModelDocument.Scope {
    private enum Key: String, CaseIterable { case folder, subtree }
    private static let keys = JSONKeys(Key.self, required: [.folder])

    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        if reader.isAtString() {
            guard try reader.string() == Self.accountWord else {
                throw JSONError(
                    .invalid("a scope is \"account\", null, or an object with a folder")
                )
            }
            self = .account
            return
        }
        var (folder, isSubtree) = ("", false)
        try reader.object(Self.keys) { reader, key throws(JSONError) in
            switch key {
            case .folder: folder = try reader.string()
            case .subtree: isSubtree = try reader.truth() ?? false
            }
        }
        self = .folder(folder, isSubtree: isSubtree)
    }
}

extension ModelDocument.Withdrawal {
    private enum Key: String, CaseIterable { case account, subject, view, send }
    private static let keys = JSONKeys(Key.self, required: Key.allCases)

    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        var entry = ModelDocument.Withdrawal(account: "", subject: "", view: false, send: false)
        try reader.object(Self.keys) { reader, key throws(JSONError) in
            switch key {
            case .account: entry.account = try reader.string()
            case .subject: entry.subject = try reader.string()
            case .view: entry.view = try reader.bool()
            case .send: entry.send = try reader.bool()
            }
        }
        self = entry
    }
}

extension ModelDocument.Wall {
    private enum Key: String, CaseIterable { case account, subject, reason }
    private static let keys = JSONKeys(Key.self, required: Key.allCases)

    fileprivate init(reading reader: inout JSONReader) throws(JSONError) {
        var entry = ModelDocument.Wall(account: "", subject: "", reason: "")
        try reader.object(Self.keys) { reader, key throws(JSONError) in
            switch key {
            case .account: entry.account = try reader.string()
            case .subject: entry.subject = try reader.string()
            case .reason: entry.reason = try reader.string()
            }
        }
        self = entry
    }
}
