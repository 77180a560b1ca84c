package import Access

/// Folders that an account's server has listed. They are cached, so that the server need not be
/// asked for every command, and may be unreachable. They are not filtered by anybody's rights.
package final class KnownFolders: Sendable {
    package let folders: ListedFolders
    /// Further names of a mailbox that the server listed under another name before.
    package let aliases: OctetStringSet
    /// The folders that are subscribed at the server; nil if it was not asked.
    let subscriptions: ServerSubscriptions?

    /// Folders without subscriptions.
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

    /// Approximate memory in octets.
    package var size: Int {
        self.folders.size + self.aliases.octetCount + (self.subscriptions?.size ?? 0)
    }

    /// The same folders. If they have no subscriptions, those of an earlier answer are used.
    package func withSubscriptions(of earlier: KnownFolders?) -> KnownFolders {
        guard self.subscriptions == nil, let subscriptions = earlier?.subscriptions else {
            return self
        }
        return KnownFolders(self.folders, aliases: self.aliases, subscriptions: subscriptions)
    }
}

/// The folders that are subscribed at a server.
struct ServerSubscriptions: Sendable {
    /// Memory in octets of a subscription besides its name.
    private static let octetsOfEntry = 100

    /// The value is false if the server sent `\Noselect`. That means that only a folder below is
    /// subscribed, if there is one (RFC 3501 §6.3.9). Courier sends it for every parent, whatever
    /// was asked.
    private var folders = ShardedDictionary<FolderPath, Bool>()
    /// The folders in the server's order.
    private(set) var names: [FolderPath] = []
    private var octets = 0

    /// Approximate memory in octets.
    var size: Int { self.octets + self.names.count * Self.octetsOfEntry }

    /// Whether the server names the folder.
    func contains(_ folder: FolderPath) -> Bool { self.folders.contains(folder) }

    /// Whether a folder itself is known to be subscribed; nil if the server does not name it.
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

/// The key of cached folders. Owner and other users have separate lists: for the owner, names need
/// not be listed in the same spelling, and there are no aliases.
package struct FolderListKey: Hashable, Sendable {
    package var account: AccountID
    package var isOwner: Bool

    package init(account: AccountID, isOwner: Bool) {
        self.account = account
        self.isOwner = isOwner
    }
}

/// The cached folders of an account, when a client asks for them.
package struct FolderKnowledge: Sendable {
    /// The folders; nil if none are cached.
    package var folders: KnownFolders?
    /// Whether they may be shown without asking the server.
    package var isCurrent = false
    /// Whether the server should be asked in the background.
    package var isAging = false
    /// Whether the server was unusable a moment ago.
    package var isFailing = false
    /// The number of changes of folders in the account. A list that was read before the last change
    /// is not current.
    package var generation: UInt64 = 0

    /// No cached folders.
    package init() {}
}
