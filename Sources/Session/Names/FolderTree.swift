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
        var status: StatusResponse?
        /// Whether the name is one of the personal namespace.
        var isPersonal = false
        /// Whether the name stands here only because something visible is below it.
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
    /// Names with something below, and whether something subscribed is below.
    private var parents = ShardedDictionary<[UInt8], Bool>()

    /// Adds a folder and the parents above it.
    /// - Returns: how many octets of names were copied for that.
    mutating func insert(_ entry: Entry) -> Int {
        guard !self.isTooLarge else { return 0 }
        let before = self.octets
        self.octets += entry.name.count + Self.octetsOfEntry
        if self.entries.updateValue(entry, forKey: entry.name) == nil {
            self.order.insert(entry.name)
        }
        self.insertParents(of: entry.name)
        guard entry.isSubscribed else { return self.octets - before }
        for parent in Self.parents(of: entry.name) {
            guard self.parents.updateValue(true, forKey: parent) != true else { break }
        }
        return 2 * (self.octets - before)
    }

    /// Takes the first entry, in the order of a listing; what is known of its parents stays.
    mutating func popFirst() -> Entry? {
        self.order.popFirst().flatMap { self.entries.removeValue(forKey: $0) }
    }

    /// Adds the root of an account, which always has something below it, and what is above.
    mutating func insertRoot(_ name: [UInt8]) {
        if !self.parents.contains(name) { self.parents.updateValue(false, forKey: name) }
        self.insertParent(name)
        self.insertParents(of: name)
    }

    /// Adds the names above `name`; they exist for the client, with nothing told about them.
    private mutating func insertParents(of name: [UInt8]) {
        for parent in Self.parents(of: name) {
            // Those above one that is known are known.
            guard !self.parents.contains(parent) else { return }
            self.parents.updateValue(false, forKey: parent)
            self.insertParent(parent)
        }
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

    func hasChildren(_ name: [UInt8]) -> Bool {
        self.parents.contains(name)
    }

    func hasSubscribedBelow(_ name: [UInt8]) -> Bool {
        self.parents[name] ?? false
    }
}
