import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The folders a user may look up, by the names the client sees, with every parent that is needed
/// to reach them.
struct FolderTree {
    struct Entry {
        /// Decoded octets with `/`.
        var name: [UInt8]
        /// As the server listed them, wire octets.
        var attributes: [ByteBuffer]
        var rights: Rights
        var isSubscribed = false
        /// Whether it is not subscribed where something below it is.
        var isSubscribedAsParent = false
        var status: StatusResponse?
        /// Whether the name is one of the personal namespace.
        var isPersonal = false
        /// Whether no folder has the name: it stands above a visible one, or is only subscribed.
        var isParentOnly = false
    }

    /// Octets of all names: each level of a folder has a name of its own.
    private static let maximumOctets = 32 * 1_024 * 1_024
    /// What a name costs besides its octets.
    private static let octetsOfEntry = 100

    /// Octets of all names, and what they cost besides.
    private(set) var octets = 0
    /// Whether there are more names than any client could use.
    var isTooLarge: Bool { self.octets > Self.maximumOctets }

    private var entries = ShardedDictionary<[UInt8], Entry>()
    private var order = NameOrder()
    /// What is below a name.
    struct Below: OptionSet {
        let rawValue: UInt8

        /// A folder, or the name of an account.
        static let folder = Below(rawValue: 1)
        /// A name that satisfies the selection options of the LIST.
        static let selected = Below(rawValue: 2)
        /// One of these that matches no pattern.
        static let selectedApart = Below(rawValue: 4)
        /// A name that is subscribed itself.
        static let subscribed = Below(rawValue: 8)
    }

    /// What is below each name that stands above another.
    private var parents = ShardedDictionary<[UInt8], Below>()

    /// Adds a folder, or a name that is only subscribed, and the parents above it.
    /// - Parameter selection: whether it satisfies the selection options, and matches no pattern.
    /// - Returns: how many octets of names were copied for that.
    mutating func insert(_ entry: Entry, selection: Below = []) -> Int {
        guard !self.isTooLarge else { return 0 }
        let before = self.octets
        self.octets += entry.name.count + Self.octetsOfEntry
        if self.entries.updateValue(entry, forKey: entry.name) == nil {
            self.order.insert(entry.name)
        }
        let below = entry.isParentOnly ? selection : selection.union(.folder)
        self.insertParents(of: entry.name, below)
        return (selection.isEmpty ? 1 : 2) * (self.octets - before)
    }

    /// Whether a folder has this name.
    func hasFolder(_ name: [UInt8]) -> Bool {
        self.entries[name].map { !$0.isParentOnly } ?? false
    }

    /// Takes the first entry, in the order of a listing; what is known of its parents stays.
    mutating func popFirst() -> Entry? {
        self.order.popFirst().flatMap { self.entries.removeValue(forKey: $0) }
    }

    /// Adds the root of an account, which always has something below it, and what is above.
    /// - Parameter selection: what of the account counts without being inserted.
    mutating func insertRoot(_ name: [UInt8], selection: Below = []) {
        let below = selection.union(.folder)
        self.add(below, to: name)
        self.insertParent(name)
        self.insertParents(of: name, below)
    }

    /// Adds the names above `name`; they exist for the client, with nothing told about them.
    private mutating func insertParents(of name: [UInt8], _ below: Below) {
        for parent in Self.parents(of: name) {
            // What is below one name is below those above it.
            guard self.add(below, to: parent) else { return }
            self.insertParent(parent)
        }
    }

    /// - Returns: whether that was not known.
    @discardableResult
    private mutating func add(_ below: Below, to parent: [UInt8]) -> Bool {
        guard let known = self.parents[parent] else {
            self.parents.updateValue(below, forKey: parent)
            return true
        }
        guard !known.isSuperset(of: below) else { return false }
        self.parents.updateValue(known.union(below), forKey: parent)
        return true
    }

    /// The names above a name, from the lowest.
    private static func parents(of name: [UInt8]) -> some Sequence<[UInt8]> {
        sequence(state: name[...]) { rest -> [UInt8]? in
            guard let slash = rest.lastIndex(of: Namespace.delimiter) else { return nil }
            rest = rest[..<slash]
            return Array(rest)
        }
    }

    private mutating func insertParent(_ name: [UInt8]) {
        guard !name.isEmpty, self.entries[name] == nil else { return }
        self.octets += name.count + Self.octetsOfEntry
        self.entries.updateValue(
            Entry(name: name, attributes: [], rights: [], isParentOnly: true),
            forKey: name
        )
        self.order.insert(name)
    }

    func below(_ name: [UInt8]) -> Below {
        self.parents[name] ?? []
    }
}
