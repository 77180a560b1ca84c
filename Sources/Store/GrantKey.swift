import Access
import Foundation

/// The identity of a local grant in a document: two grants with the same key are the same
/// grant.
struct GrantKey: Hashable, Sendable {
    /// The key of the account's row.
    var account: Int64
    /// The user or group.
    var subject: Subject
    /// The octets of the folder's path; nil for the whole account.
    var folder: Data?
    /// Whether folders below ``folder`` are included.
    var isSubtree: Bool
    /// The letters of the rights, in the order in which `Rights` writes them.
    var rights: String
    /// `none`, `on-behalf` or `as`.
    var send: String
    /// Seconds since 1970; nil for a grant without an end.
    var until: Int64?
    /// Compared octet for octet.
    var reason: ExactText?

    /// The other values have few forms.
    func hash(into hasher: inout Hasher) {
        hasher.combine(self.account)
        hasher.combine(self.subject)
        hasher.combine(self.folder)
        hasher.combine(self.until)
        hasher.combine(self.reason)
    }
}

/// The local grants of the store at one revision. They can be read while a document is read.
package struct KnownGrants: Sendable {
    /// The revision of the store.
    let revision: Int64
    /// The keys of the grants, in the order of their rows.
    let keys: [GrantKey]
}

extension PermissionStore {
    /// Reads the local grants in one transaction.
    package func knownGrants() throws -> KnownGrants {
        try self.read { transaction in
            var keys: [GrantKey] = []
            try transaction.forEachLocalGrant { key, _ in keys.append(key) }
            return KnownGrants(revision: try transaction.revision(), keys: keys)
        }
    }
}

/// The local grants that a document wants, until each is found in the store.
struct WantedGrants {
    /// Grants of one account that are searched one by one. An account has few grants, and those of a
    /// document are usually beside each other: this takes less time than a set of a million keys.
    private static let maximumInOrder = 32

    /// The grants of accounts whose grants are beside each other.
    private var keys: [GrantKey] = []
    /// Whether each of ``keys`` was found.
    private var isFound: [Bool] = []
    /// Where each account's grants are in ``keys``.
    private var places: [Int64: Range<Int>] = [:]
    /// All other grants.
    private var others: Set<GrantKey> = []
    /// The account of the last key that was inserted or removed, and its place.
    private var last: (account: Int64, place: Range<Int>)?

    /// Adds a grant.
    /// - Returns: Whether it was not present.
    mutating func insert(_ key: GrantKey) -> Bool {
        let place = self.place(of: key.account)
        if let place, self.keys[place].contains(key) { return false }
        guard place.map({ $0.upperBound == self.keys.count }) ?? true,
            place.map({ $0.count < Self.maximumInOrder }) ?? true
        else { return self.others.insert(key).inserted }
        self.keys.append(key)
        self.isFound.append(false)
        let start = place?.lowerBound ?? self.keys.count - 1
        self.places[key.account] = start..<self.keys.count
        self.last = (key.account, start..<self.keys.count)
        return true
    }

    /// Marks a grant as found.
    /// - Returns: Whether it is wanted, and was not found before.
    mutating func remove(_ key: GrantKey) -> Bool {
        if let place = self.place(of: key.account),
            let index = place.first(where: { !self.isFound[$0] && self.keys[$0] == key })
        {
            self.isFound[index] = true
            return true
        }
        return !self.others.isEmpty && self.others.remove(key) != nil
    }

    /// The accounts of the grants that were not found.
    var accounts: Set<Int64> {
        let left = self.keys.indices.filter { !self.isFound[$0] }.map { self.keys[$0].account }
        return Set(left).union(self.others.map(\.account))
    }

    private mutating func place(of account: Int64) -> Range<Int>? {
        if let last = self.last, last.account == account { return last.place }
        guard let place = self.places[account] else { return nil }
        self.last = (account, place)
        return place
    }
}
