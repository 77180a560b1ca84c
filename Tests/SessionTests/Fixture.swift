import Access
import Foundation
import IMAP
import Session
import Testing

/// Anna, her colleagues and their accounts, as all dialogs use them.
struct Fixture {
    static let now = Moment(seconds: 1_000_000)

    let anna = UserID(1)
    var grants: [Grant] = []
    private var groups: [Group] = []
    var down: Set<String> = []
    /// Accounts without an owner.
    private var ownerless: Set<String> = ["info"]
    /// Accounts whose profiles come from an earlier connection; the next connection asks the
    /// server.
    var known: Set<String> = []
    /// The profile of a server when it is asked again.
    private var changes: [String: UpstreamProfile] = [:]
    /// Accounts whose servers have not answered the ID of the login.
    var identified: Set<String> = []
    /// Accounts whose Sent folders get a copy of messages that other users send.
    var copied: Set<String> = []
    /// Those of them that refuse a message whose copy cannot be kept.
    var requiringCopies: Set<String> = []
    /// Accounts on Exchange, whose grants come from there.
    var onExchange: Set<String> = []
    var subscriptions: Set<Subscription> = []
    /// The account that Anna names in `LOGIN/ACCOUNT`.
    private(set) var onlyAccount: AccountID?
    /// Whether shared folders count as subscribed.
    private(set) var subscribesShared = true
    /// The folder lists of other sessions.
    var remembered = RememberedFolders()
    /// Whether Anna is disabled.
    var isAnnaDisabled = false
    /// Anna's name in the store.
    var nameOfAnna: String?
    var profiles: [AccountID: UpstreamProfile?]
    /// The folders that each server lists, in wire octets.
    private(set) var folders: [AccountID: [String]] = [:]

    private static let names = ["anna": AccountID(1), "bob": 2, "info": 3, "clara": 4]
    private static let usual: Set<String> = [
        "IMAP4REV1", "LITERAL+", "UIDPLUS", "MOVE", "UNSELECT", "IDLE", "ESEARCH", "SEARCHRES",
        "LIST-EXTENDED", "SPECIAL-USE", "SORT", "CONDSTORE", "BINARY",
    ]

    init() {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        self.profiles = [
            1: UpstreamProfile(capabilities: Self.usual, delimiter: slash),
            2: UpstreamProfile(capabilities: Self.usual, delimiter: dot),
            3: UpstreamProfile(capabilities: Self.usual, delimiter: slash),
            4: UpstreamProfile(capabilities: Self.usual, delimiter: slash),
        ]
    }

    /// Adds the folders of other users' accounts that a text names.
    mutating func addFolders(in text: String) {
        for (name, id) in Self.names {
            for root in ["Other Users", "Shared"] {
                let prefix = "\(root)/\(name)@kanzlei.example/"
                for (quote, end) in [("\"", "\""), (" ", " ")] {
                    for part in text.components(separatedBy: quote + prefix).dropFirst() {
                        let path = part.prefix { !$0.isNewline && $0 != "\\" && !end.contains($0) }
                        self.addFolder(String(path), in: id)
                    }
                }
            }
        }
    }

    private mutating func addFolder(_ path: String, in account: AccountID) {
        guard !path.isEmpty, let profile = self.profiles[account] ?? nil,
            let delimiter = profile.delimiter.map({ Character(Unicode.Scalar($0)) }),
            !path.contains(where: { "*%\"".contains($0) || $0 == delimiter && delimiter != "/" })
        else { return }
        let name = path.map { $0 == "/" ? String(delimiter) : String($0) }.joined()
        guard !(self.folders[account] ?? []).contains(name) else { return }
        self.folders[account, default: []].append(name)
    }

    /// The answer to `LIST "" "*"`.
    func list(of account: AccountID, tag: String) -> String {
        let profile = self.profiles[account] ?? nil
        let delimiter = profile?.delimiter.map { String(Unicode.Scalar($0)) } ?? "/"
        let lines = (self.folders[account] ?? []).map { "* LIST () \"\(delimiter)\" \"\($0)\"\r\n" }
        return lines.joined() + "\(tag) OK List completed.\r\n"
    }

    var snapshot: Snapshot {
        let users = ["anna", "bob", "clara"].enumerated().compactMap { index, name in
            Address("\(name)@kanzlei.example".utf8).map {
                User(
                    id: UserID(Int64(index) + 1),
                    login: $0,
                    isDisabled: name == "anna" && self.isAnnaDisabled,
                    name: name == "anna" ? self.nameOfAnna.map { Array($0.utf8) } : nil
                )
            }
        }
        let owners: [String: UserID] = ["anna": UserID(1), "bob": UserID(2), "clara": UserID(3)]
        let accounts = Self.names.compactMap { name, id in
            Address("\(name)@kanzlei.example".utf8).map {
                Account(
                    id: id,
                    address: $0,
                    kind: self.onExchange.contains(name) ? .exchange : .imap,
                    owner: self.ownerless.contains(name) ? nil : owners[name],
                    sentCopy: self.copied.contains(name) ? .owner : .none,
                    isSentCopyRequired: self.requiringCopies.contains(name)
                )
            }
        }
        return Snapshot(
            revision: 1,
            users: users,
            groups: self.groups,
            accounts: accounts,
            grants: self.grants,
            withdrawals: [],
            walls: []
        )
    }

    /// The result of the check of Anna's password.
    var login: AuthenticationOutcome {
        .accepted(self.anna, account: self.onlyAccount, profiles: self.profiles)
    }

    /// Changes the subscriptions as the store does.
    mutating func change(_ change: SubscriptionChange) {
        self.subscriptions = self.subscriptions.filter {
            $0.account != change.account || $0.folder != change.folder
        }
        guard change.kind != .forget else { return }
        self.subscriptions.insert(
            Subscription(
                account: change.account,
                folder: change.folder,
                isSubscribed: change.kind == .subscribe
            )
        )
    }

    func account(_ name: String) -> AccountID { Self.names[name] ?? 99 }

    func name(of account: AccountID) -> String {
        Self.names.first { $0.value == account }?.key ?? "?"
    }

    /// `fetch allowed bob INBOX (3) because grant 1 to anna@kanzlei.example`
    func text(of event: AuditEvent) -> String {
        func shown(_ mailbox: AuditEvent.MailboxReference) -> String {
            [self.name(of: mailbox.account), mailbox.folder?.description].compactMap { $0 }
                .joined(separator: " ")
        }
        var text = "\(event.name) \(event.outcome.rawValue)"
        if let mailbox = event.mailbox { text += " \(shown(mailbox))" }
        if let target = event.target { text += " > \(shown(target))" }
        if let count = event.count { text += " (\(count))" }
        if !event.because.isEmpty { text += " because \(event.because.joined(separator: ", "))" }
        if !event.detail.isEmpty { text += "; \(event.detail.joined(separator: "; "))" }
        return text
    }

    mutating func configure(_ text: String) throws {
        let words = text.split(separator: " ").map(String.init)
        switch words.first {
        case "group":
            self.groups.append(
                Group(
                    id: GroupID(Int64(self.groups.count) + 1),
                    name: words[1],
                    members: try words.dropFirst(2).map(self.subject)
                )
            )
        case "grant":
            try self.grant(words)
        case "capabilities":
            let account = self.account(words[1])
            var profile = try #require(self.profiles[account] ?? nil)
            profile.capabilities = Set(words.dropFirst(2))
            self.profiles[account] = profile
        case "foreign":
            let account = self.account(words[1])
            let prefix = words.dropFirst(2).joined(separator: " ")
            var profile = try #require(self.profiles[account] ?? nil)
            profile.foreignPrefixes.append(Array(prefix.utf8))
            self.profiles[account] = profile
        case "login":
            self.onlyAccount = self.account(words[1])
        case "remembered":
            try self.remembered.add(words, of: self.account(words[1]))
        case "subscribeShared":
            self.subscribesShared = words[1] == "on"
        case "namespace":
            let account = self.account(words[1])
            var profile = try #require(self.profiles[account] ?? nil)
            profile.delimiter = words[2].utf8.first
            profile.personalPrefixes = [Array(words.dropFirst(3).joined(separator: " ").utf8)]
            self.profiles[account] = profile
        case "known":
            // The first connection gets the old profile, and the next one the new profile.
            let profile = try #require(self.profiles[self.account(words[1])] ?? nil)
            self.known.insert(words[1])
            var changed = profile
            changed.delimiter = words[2].utf8.first
            changed.personalPrefixes = [Array(words.dropFirst(3).joined(separator: " ").utf8)]
            self.changes[words[1]] = changed
        case "identified":
            self.identified.insert(words[1])
        case "exchange":
            self.onExchange.insert(words[1])
        case "ownerless":
            self.ownerless.insert(words[1])
        case "down":
            self.down.insert(words[1])
        default:
            Issue.record("cannot be read: \(text)")
        }
    }

    /// The next connection asks the server, which has the new profile.
    mutating func connectAgain(_ name: String) {
        guard let changed = self.changes.removeValue(forKey: name) else { return }
        self.profiles[self.account(name)] = changed
    }

    /// `bob`, or `group:team`.
    private func subject(_ name: String) throws -> Subject {
        guard !name.hasPrefix("group:") else {
            return .group(try #require(self.groups.first { "group:\($0.name)" == name }).id)
        }
        let users = ["anna": UserID(1), "bob": UserID(2), "clara": UserID(3)]
        return .user(try #require(users[name]))
    }

    private mutating func grant(_ words: [String]) throws {
        let parts = words[2].split(separator: ":", maxSplits: 1).map(String.init)
        var scope = Scope.account
        if parts.count == 2 {
            let folder = try #require(FolderPath(octets: Array(parts[1].utf8)))
            scope = parts[0] == "subtree" ? .subtree(folder) : .folder(folder)
        }
        self.grants.append(
            Grant(
                id: Int64(self.grants.count) + 1,
                account: self.account(words[1]),
                subject: try words.count > 4 ? self.subject(words[4]) : .user(self.anna),
                rights: try #require(Rights(letters: words[3])),
                scope: scope,
                source: self.onExchange.contains(words[1]) ? .exchange : .local
            )
        )
    }
}

extension AccountID: ExpressibleByIntegerLiteral {
    /// Test tables name accounts by numbers.
    public init(integerLiteral value: Int64) {
        self.init(value)
    }
}
