package import Access

package import struct NIOCore.ByteBuffer

/// The folders of one account that exist for a user who is not its owner.
///
/// A folder exists for such a user only if the server's answer to `LIST "" "*"` contains exactly
/// this name, in the account's own namespace. Servers also open names that they do not list:
/// aliases, hidden and public namespaces, other spellings. A grant must not reach the mailbox
/// behind such a name.
package struct FolderList: Sendable {
    /// Folders on which the user has a right.
    private var folders = OctetStringSet()
    /// Names above a listed folder that are not listed themselves: the server lists `A/B` and not
    /// `A`.
    private var parents = OctetStringSet()
    /// Further names of a mailbox that the server listed under another name before.
    package private(set) var aliases = OctetStringSet()
    /// LIST responses that the server sent, including those about folders that the user may not
    /// see.
    package private(set) var responses = 0
    /// Whether a folder below INBOX is listed, visible for the user or not.
    package private(set) var hasBelowInbox = false
    /// The number of the session's command during which the list was read.
    package var command: UInt64 = 0

    /// Limits how often one connection reads the list again because a folder is missing. A client
    /// that names missing folders makes the server list at most 10,000 folders per second; one
    /// refresh is always allowed.
    package struct Refreshes: Sendable {
        private static let responsesPerSecond = 10_000

        private var begin = Moment(seconds: 0)
        private var responses = 0

        /// Nothing was read yet.
        package init() {}

        /// Whether the list may be read again now.
        package func mayRead(_ list: FolderList, at now: Moment) -> Bool {
            let seconds = max(0, now.seconds - self.begin.seconds)
            let isNew = seconds > Int64(self.responses / Self.responsesPerSecond)
            return isNew || self.responses + list.responses <= Self.responsesPerSecond
        }

        /// Counts a refresh.
        package mutating func read(_ list: FolderList, at now: Moment) {
            let seconds = max(0, now.seconds - self.begin.seconds)
            if seconds > Int64(self.responses / Self.responsesPerSecond) {
                self.begin = now
                self.responses = 0
            }
            self.responses += list.responses
        }
    }

    /// Octets of the names in ``parents``. Further ones are dropped, and no folder can be created
    /// below them.
    private static let maximumParentOctets = 1_024 * 1_024

    /// An empty list.
    package init() {}

    /// Whether the folder exists for the user.
    package func contains(_ folder: FolderPath) -> Bool {
        self.folders.contains(folder) && !self.isAlias(folder)
    }

    /// The first folders that exist for the user and whose octets satisfy a condition, in the
    /// server's order.
    package func listed(
        atMost limit: Int,
        where isIncluded: (ArraySlice<UInt8>) -> Bool = { _ in true }
    ) -> [FolderPath] {
        self.folders.first(limit) { isIncluded($0) && !self.aliases.contains(Array($0)) }
    }

    /// Whether the server listed the folder's mailbox under another name before.
    package func isAlias(_ folder: FolderPath) -> Bool {
        self.aliases.contains(folder)
    }

    /// Whether a folder may be created below this one.
    package func containsParent(_ folder: FolderPath) -> Bool {
        !self.isAlias(folder)
            && (self.folders.contains(folder) || self.parents.contains(folder))
    }

    fileprivate mutating func addAlias(_ folder: FolderPath) {
        self.aliases.insert(folder)
    }

    /// - Parameter isVisible: whether the user has any right on the folder.
    fileprivate mutating func add(_ folder: FolderPath, isVisible: Bool) {
        self.responses += 1
        if folder.isBelowInbox { self.hasBelowInbox = true }
        guard isVisible else { return }
        self.folders.insert(folder)
        var parent = folder.parent
        while let above = parent, !self.parents.contains(above),
            self.parents.octetCount < Self.maximumParentOctets
        {
            self.parents.insert(above)
            parent = above.parent
        }
    }
}

/// The answer of a server to `LIST "" "*"`, while it arrives.
package struct FolderListing: Sendable {
    private var list = FolderList()
    /// Mailbox identifiers (RFC 8474 §4); nil if the server does not send them.
    private var identifiers: Identifiers?
    /// Octets of the responses so far.
    package var octets = 0

    /// The mailbox identifiers so far. No entry is an object of its own: freeing 60,000 objects
    /// would block the event loop.
    private struct Identifiers {
        /// The folders in the order of the answer.
        var folders = OctetStringSet()
        var identifiers = OctetStringSet()
        /// For each identifier, by its number: the number of the name that the server listed first;
        /// nil if the line of that name could not be parsed.
        var first: [Int?] = []
    }

    /// - Parameter hasIdentifiers: whether the server sends a mailbox identifier for each folder.
    package init(hasIdentifiers: Bool) {
        self.identifiers = hasIdentifiers ? Identifiers() : nil
    }

    /// Adds a listed folder.
    ///
    /// - Parameter isVisible: whether the user has any right on the folder.
    package mutating func add(_ folder: FolderPath, isVisible: Bool) {
        self.identifiers?.folders.insert(folder.octets)
        self.list.add(folder, isVisible: isVisible)
    }

    /// Adds the identifier of a listed folder's mailbox. If two names have the same identifier, the
    /// one listed later is an alias.
    package mutating func identify(_ folder: FolderPath, as identifier: ByteBuffer) {
        guard let known = self.identifiers?.identifiers.insert(Array(identifier.readableBytesView))
        else { return }
        let folderNumber = self.identifiers?.folders.index(of: folder.octets)
        if known.isNew { self.identifiers?.first.append(folderNumber) }
        guard let folderNumber else { return }
        guard let other = self.identifiers?.first[known.index] else {
            return self.list.addAlias(folder)
        }
        guard other != folderNumber else { return }
        let later = max(folderNumber, other)
        self.identifiers?.first[known.index] = min(folderNumber, other)
        guard let name = self.identifiers?.folders.string(at: later),
            let alias = FolderPath(octets: name)
        else { return }
        self.list.addAlias(alias)
    }

    /// The complete list.
    ///
    /// - Parameter command: the number of the session's command.
    package func finished(during command: UInt64) -> FolderList {
        var list = self.list
        list.command = command
        return list
    }
}
