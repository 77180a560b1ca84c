package import Access

/// Folders that an account's server listed, kept for the time when it need not be asked again, or does not answer.
///
/// They are not yet judged by anybody's rights.
package final class KnownFolders: Sendable {
    package let folders: ListedFolders
    /// Later names of mailboxes that the server listed before under another name.
    package let aliases: OctetStringSet
    /// What the server says is subscribed; nil where it was not asked.
    let subscriptions: ServerSubscriptions?

    package convenience init(_ folders: ListedFolders, aliases: OctetStringSet) {
        self.init(folders, aliases: aliases, subscriptions: nil)
    }

    init(
        _ folders: ListedFolders,
        aliases: OctetStringSet,
        subscriptions: ServerSubscriptions?
    ) {
        self.folders = folders
        self.aliases = aliases
        self.subscriptions = subscriptions
    }

    /// Octets of memory, about.
    package var size: Int {
        self.folders.size + self.aliases.octetCount + (self.subscriptions?.size ?? 0)
    }

    /// The same, with the subscriptions of an earlier answer where this one has none.
    package func withSubscriptions(of earlier: KnownFolders?) -> KnownFolders {
        guard self.subscriptions == nil, let subscriptions = earlier?.subscriptions else {
            return self
        }
        return KnownFolders(self.folders, aliases: self.aliases, subscriptions: subscriptions)
    }
}

/// What a server says is subscribed.
struct ServerSubscriptions: Sendable {
    /// What a subscription costs besides the octets of its name.
    private static let octetsOfEntry = 100

    /// False where the server says \Noselect. That means that only something below is subscribed, if there is
    /// something (RFC 3501 §6.3.9): Courier says so of every parent, whatever is asked.
    private var folders = ShardedDictionary<FolderPath, Bool>()
    /// The same in the server's order.
    private(set) var names: [FolderPath] = []
    private var octets = 0

    /// Octets of memory, about.
    var size: Int { self.octets + self.names.count * Self.octetsOfEntry }

    func contains(_ folder: FolderPath) -> Bool { self.folders.contains(folder) }

    /// Whether a folder is certainly subscribed; nil where the server does not name it.
    subscript(folder: FolderPath) -> Bool? { self.folders[folder] }

    /// - Parameter isCertain: whether the folder itself is subscribed, and not only one below it.
    mutating func insert(_ folder: FolderPath, isCertain: Bool) {
        guard self.folders.updateValue(isCertain, forKey: folder) == nil else { return }
        self.names.append(folder)
        self.octets += folder.octets.count
    }
}

extension KnownFolders: Equatable {
    package static func == (left: KnownFolders, right: KnownFolders) -> Bool { left === right }
}

/// For whom an account's folders are kept. What its owner may name need not be listed under the same name, and has no
/// aliases.
package struct FolderListKey: Hashable, Sendable {
    package var account: AccountID
    package var isOwner: Bool

    package init(account: AccountID, isOwner: Bool) {
        self.account = account
        self.isOwner = isOwner
    }
}

/// What is known of an account's folders when a client asks for them.
package struct FolderKnowledge: Sendable {
    package var folders: KnownFolders?
    /// Whether they may be shown without asking the server.
    package var isCurrent = false
    /// Whether the server should be asked, without waiting for it.
    package var isAging = false
    /// Whether the server could not be used a moment ago.
    package var isFailing = false
    /// How often folders were made or removed in the account: what was listed before such a change is not current.
    package var generation: UInt64 = 0

    package init() {}
}
