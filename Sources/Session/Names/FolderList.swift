package import Access

package import struct NIOCore.ByteBuffer

/// A set of folder paths in one block of memory: 60,000 paths of 40 octets take 3 MiB.
///
/// Paths compare as octets. The table is an open hash table with linear probing, and its hash is
/// seeded at random, so that nobody can choose names that collide.
package struct FolderSet: Sendable {
    /// The octets of all paths, one behind another.
    private var octets: [UInt8] = []
    /// Where each path begins in `octets`, in the order of insertion, and where the last one ends.
    private var bounds: [UInt32] = [0]
    /// Indices into `bounds` plus one; 0 is free. Its size is a power of two.
    private var slots: [UInt32] = []

    /// The hash of each path, so that a larger table is filled without the paths.
    private var hashes: [Int] = []

    package var count: Int { self.bounds.count - 1 }

    /// Octets of all paths.
    package var octetCount: Int { self.octets.count }

    package init() {}

    package mutating func insert(_ folder: FolderPath) {
        if (self.count + 1) * 2 > self.slots.count { self.grow() }
        let hash = Self.hash(folder.octets)
        let slot = self.slot(of: folder.octets, hash)
        guard self.slots[slot] == 0 else { return }
        self.hashes.append(hash)
        self.octets += folder.octets
        self.bounds.append(UInt32(self.octets.count))
        self.slots[slot] = UInt32(self.count)
    }

    package func contains(_ folder: FolderPath) -> Bool {
        guard !self.slots.isEmpty else { return false }
        return self.slots[self.slot(of: folder.octets, Self.hash(folder.octets))] != 0
    }

    private static func hash(_ path: [UInt8]) -> Int {
        var hasher = Hasher()
        path.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// The slot that holds the path with these octets, or the free one where it belongs.
    private func slot(of path: [UInt8], _ hash: Int) -> Int {
        let mask = self.slots.count - 1
        var slot = hash & mask
        while self.slots[slot] != 0 {
            let index = Int(self.slots[slot])
            if self.hashes[index - 1] != hash {
                slot = (slot + 1) & mask
                continue
            }
            let known = self.octets[Int(self.bounds[index - 1])..<Int(self.bounds[index])]
            if known.count == path.count, known.elementsEqual(path) { return slot }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private mutating func grow() {
        self.slots = Array(repeating: 0, count: max(16, self.slots.count * 2))
        let mask = self.slots.count - 1
        for (index, hash) in self.hashes.enumerated() {
            var slot = hash & mask
            while self.slots[slot] != 0 { slot = (slot + 1) & mask }
            self.slots[slot] = UInt32(index + 1)
        }
    }
}

/// The folders of one account that exist for a user who is not its owner.
///
/// A folder exists for such a user only if the server's answer to `LIST "" "*"` names it, under exactly
/// this name, in the account's own namespace. A server also opens names that it does not list: aliases,
/// hidden and public namespaces, other spellings. No grant reaches what such a name opens.
package struct FolderList: Sendable {
    /// Folders on which the user has a right.
    private var folders = FolderSet()
    /// Names that only stand above a listed folder: the server lists `A/B` and not `A`.
    private var parents = FolderSet()
    /// Later names of mailboxes that the server listed before under another name.
    private var aliases = FolderSet()
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

    /// Whether the server listed the folder's mailbox before under another name.
    package func isAlias(_ folder: FolderPath) -> Bool {
        self.aliases.contains(folder)
    }

    /// Whether a folder may be created below this one.
    package func containsParent(_ folder: FolderPath) -> Bool {
        !self.isAlias(folder) && (self.folders.contains(folder) || self.parents.contains(folder))
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

    /// What is known of identifiers while the answer arrives.
    private struct Identifiers {
        /// The place of each folder in the answer.
        var places = ShardedDictionary<FolderPath, Int>()
        /// Of the names of each mailbox the one that the server listed first.
        var first = ShardedDictionary<ByteBuffer, FolderPath>()

        mutating func place(_ folder: FolderPath) {
            guard !self.places.contains(folder) else { return }
            self.places.updateValue(self.places.count, forKey: folder)
        }
    }

    /// - Parameter hasIdentifiers: whether the server tells each folder's mailbox identifier.
    package init(hasIdentifiers: Bool) {
        self.identifiers = hasIdentifiers ? Identifiers() : nil
    }

    /// - Parameter isVisible: whether the user has any right on the folder.
    package mutating func add(_ folder: FolderPath, isVisible: Bool) {
        self.identifiers?.place(folder)
        self.list.add(folder, isVisible: isVisible)
    }

    /// Takes the identifier of a listed folder's mailbox. Of two names of one mailbox the later one is an
    /// alias.
    package mutating func identify(_ folder: FolderPath, as identifier: ByteBuffer) {
        guard let place = self.identifiers?.places[folder] else { return }
        guard let other = self.identifiers?.first[identifier], other != folder else {
            self.identifiers?.first.updateValue(folder, forKey: identifier)
            return
        }
        let isLater = place > self.identifiers?.places[other] ?? 0
        if !isLater { self.identifiers?.first.updateValue(folder, forKey: identifier) }
        self.list.addAlias(isLater ? folder : other)
    }

    package func finished(during command: UInt64) -> FolderList {
        var list = self.list
        list.command = command
        return list
    }
}
