import Access
import IMAP

import struct NIOCore.ByteBuffer

/// The folders that a user may look up, by the client's names, and the parents that are needed to
/// reach them.
struct FolderTree {
    /// A name of the tree.
    struct Entry {
        /// Decoded octets with the delimiter `/`.
        var name: [UInt8]
        /// The server's LIST attributes, in wire octets.
        var attributes: [ByteBuffer]
        var rights: Rights
        var isSubscribed = false
        /// Whether the name is not subscribed, but a name below it is.
        var isSubscribedAsParent = false
        var status: StatusResponse?
        /// Whether the name is in the personal namespace.
        var isPersonal = false
        /// Whether no folder has this name: it is above a visible folder, or only subscribed.
        var isParentOnly = false
    }

    /// Octets of all names and their entries. Each level of a deep folder is a name of its own, so
    /// a server could make the tree grow quadratically.
    private static let maximumOctets = 32 * 1_024 * 1_024
    /// Memory in octets of an entry besides its name.
    private static let octetsOfEntry = 100

    /// Octets of all names and their entries.
    private(set) var octets = 0
    /// Whether the limit is exceeded; further names are ignored.
    var isTooLarge: Bool { self.octets > Self.maximumOctets }

    private var entries = ShardedDictionary<[UInt8], Entry>()
    private var order = NameOrder()
    /// What is below a name.
    struct Below: OptionSet {
        let rawValue: UInt8

        /// A folder, or the root of an account.
        static let folder = Below(rawValue: 1)
        /// A name that satisfies the selection options of LIST (RFC 5258 §3.1).
        static let selected = Below(rawValue: 2)
        /// Such a name that matches no pattern of the command.
        static let selectedApart = Below(rawValue: 4)
        /// A name that is subscribed itself.
        static let subscribed = Below(rawValue: 8)
    }

    /// What is below each name that is above another.
    private var parents = ShardedDictionary<[UInt8], Below>()

    /// Adds a folder, or a name that is only subscribed, and its parents.
    ///
    /// - Parameter selection: whether the name satisfies the selection options, and matches no
    ///   pattern.
    /// - Returns: the number of octets of names that were copied.
    mutating func insert(_ entry: Entry, selection: Below = []) -> Int {
        guard !self.isTooLarge else { return 0 }
        let before = self.octets
        self.octets += entry.name.count + Self.octetsOfEntry
        if self.entries.updateValue(entry, forKey: entry.name) == nil {
            self.order.insert(entry.name)
        }
        let below = entry.isParentOnly ? selection : selection.union(.folder)
        self.insertParents(of: entry.name, below: below)
        return (selection.isEmpty ? 1 : 2) * (self.octets - before)
    }

    /// Whether a folder has this name.
    func hasFolder(_ name: [UInt8]) -> Bool {
        self.entries[name].map { !$0.isParentOnly } ?? false
    }

    /// Removes the first entry in the order of a listing. The information about its parents is
    /// kept.
    mutating func popFirst() -> Entry? {
        self.order.popFirst().flatMap { self.entries.removeValue(forKey: $0) }
    }

    /// Adds the root of an account, which always counts as having folders below it, and its
    /// parents.
    ///
    /// - Parameter selection: selection options that the account satisfies without an inserted
    ///   folder.
    mutating func insertRoot(_ name: [UInt8], selection: Below = []) {
        let below = selection.union(.folder)
        self.add(below, to: name)
        self.insertParent(name)
        self.insertParents(of: name, below: below)
    }

    /// Adds the names above `name`. They have no attributes of a server.
    private mutating func insertParents(of name: [UInt8], below: Below) {
        for parent in Self.parents(of: name) {
            // The names above a parent have this information already.
            guard self.add(below, to: parent) else { return }
            self.insertParent(parent)
        }
    }

    /// Records what is below a name.
    ///
    /// - Returns: whether it is new.
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

    /// The names above a name, starting with the lowest.
    private static func parents(of name: [UInt8]) -> some Sequence<[UInt8]> {
        sequence(state: name[...]) { rest -> [UInt8]? in
            guard let slash = rest.lastIndex(of: Namespace.delimiter) else { return nil }
            rest = rest[..<slash]
            return Array(rest)
        }
    }

    /// Adds a name without a folder, unless it is in the tree.
    private mutating func insertParent(_ name: [UInt8]) {
        guard !name.isEmpty, self.entries[name] == nil else { return }
        self.octets += name.count + Self.octetsOfEntry
        self.entries.updateValue(
            Entry(name: name, attributes: [], rights: [], isParentOnly: true),
            forKey: name
        )
        self.order.insert(name)
    }

    /// What is below a name; empty for an unknown name.
    func below(_ name: [UInt8]) -> Below {
        self.parents[name] ?? []
    }
}
