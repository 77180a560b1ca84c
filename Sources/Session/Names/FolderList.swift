package import Access

package import struct NIOCore.ByteBuffer

/// The folders of one account that exist for a user who is not its owner.
///
/// A folder exists for such a user only if the server's answer to `LIST "" "*"` names it, under exactly
/// this name, in the account's own namespace. A server also opens names that it does not list: aliases,
/// hidden and public namespaces, other spellings. No grant reaches what such a name opens.
package struct FolderList: Sendable {
    /// Folders on which the user has a right.
    private var folders = OctetStringSet()
    /// Names that only stand above a listed folder: the server lists `A/B` and not `A`.
    private var parents = OctetStringSet()
    /// Later names of mailboxes that the server listed before under another name.
    package private(set) var aliases = OctetStringSet()
    /// Responses that the server sent, those about other folders included.
    package private(set) var responses = 0
    /// Whether anything is listed below INBOX, whoever may see it.
    package private(set) var hasBelowInbox = false
    /// The session's command during which the list was read.
    package var command: UInt64 = 0

    /// How often the list of one connection is read again because a folder is missing: a client that names
    /// missing folders makes the server list 10,000 folders a second at most, and once in any case.
    package struct Refreshes: Sendable {
        private static let responsesPerSecond = 10_000

        private var begin = Moment(seconds: 0)
        private var responses = 0

        package init() {}

        /// Whether the list may be read again now.
        package func mayRead(_ list: FolderList, at now: Moment) -> Bool {
            let seconds = max(0, now.seconds - self.begin.seconds)
            let isNew = seconds > Int64(self.responses / Self.responsesPerSecond)
            return isNew || self.responses + list.responses <= Self.responsesPerSecond
        }

        /// The list is read again.
        package mutating func read(_ list: FolderList, at now: Moment) {
            let seconds = max(0, now.seconds - self.begin.seconds)
            if seconds > Int64(self.responses / Self.responsesPerSecond) {
                self.begin = now
                self.responses = 0
            }
            self.responses += list.responses
        }
    }

    /// Octets of names that only stand above a listed folder; beyond it none are kept, and nothing can be
    /// created below them.
    private static let maximumParentOctets = 1_024 * 1_024

    package init() {}

    package func contains(_ folder: FolderPath) -> Bool {
        self.folders.contains(folder) && !self.isAlias(folder)
    }

    /// The first folders that exist for the user and whose octets fulfil a condition, in the server's order.
    package func listed(
        atMost limit: Int,
        where isIncluded: (ArraySlice<UInt8>) -> Bool = { _ in true }
    ) -> [FolderPath] {
        self.folders.first(limit) { isIncluded($0) && !self.aliases.contains(Array($0)) }
    }

    /// Whether the server listed the folder's mailbox before under another name.
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
    /// Mailbox identifiers (RFC 8474 §4), where the server tells them.
    private var identifiers: Identifiers?
    /// Octets of the responses so far.
    package var octets = 0

    /// What is known of identifiers while the answer arrives. Nothing of it is an object of its own: 60,000 of these
    /// would hold the event loop when they are freed.
    private struct Identifiers {
        /// The folders in the order of the answer.
        var folders = OctetStringSet()
        var identifiers = OctetStringSet()
        /// Of the names of each mailbox the number of the one that the server listed first, by the number of the
        /// identifier; nil where that one's line in the list could not be read.
        var first: [Int?] = []
    }

    /// - Parameter hasIdentifiers: whether the server tells each folder's mailbox identifier.
    package init(hasIdentifiers: Bool) {
        self.identifiers = hasIdentifiers ? Identifiers() : nil
    }

    /// - Parameter isVisible: whether the user has any right on the folder.
    package mutating func add(_ folder: FolderPath, isVisible: Bool) {
        self.identifiers?.folders.insert(folder.octets)
        self.list.add(folder, isVisible: isVisible)
    }

    /// Takes the identifier of a listed folder's mailbox. Of two names of one mailbox the later one is an
    /// alias.
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

    package func finished(during command: UInt64) -> FolderList {
        var list = self.list
        list.command = command
        return list
    }
}
