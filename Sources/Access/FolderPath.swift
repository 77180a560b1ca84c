/// The path of a folder in an account: UTF-8 octets with `/` between components, for example
/// `INBOX/Projekte`.
///
/// A first component `INBOX` is in upper case. Paths are compared by octets, without normalisation
/// or case folding: two names that look alike may be two folders on a server.
package struct FolderPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest path, in octets: a server that lists longer names could fill the memory.
    package static let maximumOctets = 2_048
    /// The most components. Servers allow about twenty, and a listing names every level.
    package static let maximumDepth = 32
    private static let delimiter = UInt8(ascii: "/")
    private static let inbox = Array("INBOX".utf8)

    /// The UTF-8 octets of the path.
    package let octets: [UInt8]

    /// - Returns: nil for an empty path or component, a control octet, text that is not UTF-8, or a
    ///   path beyond a limit.
    package init?(octets: [UInt8]) {
        guard !octets.isEmpty, octets.count <= Self.maximumOctets,
            !octets.contains(where: { $0 < 0x20 || $0 == 0x7F }),
            String(validating: octets, as: UTF8.self) != nil
        else { return nil }
        let components = octets.split(separator: Self.delimiter, omittingEmptySubsequences: false)
        guard !components.contains(where: \.isEmpty), let first = components.first,
            components.count <= Self.maximumDepth
        else { return nil }
        let upper = first.map { $0 >= 0x61 && $0 <= 0x7A ? $0 - 0x20 : $0 }
        self.octets = upper == Self.inbox ? Self.inbox + octets.dropFirst(first.count) : octets
    }

    /// Stores octets that are known to form a valid path.
    private init(checked octets: [UInt8]) {
        self.octets = octets
    }

    package var description: String { String(decoding: self.octets, as: UTF8.self) }

    /// Whether the path is `INBOX`.
    package var isInbox: Bool { self.octets == Self.inbox }

    /// Whether the path starts with `INBOX/`.
    package var isBelowInbox: Bool {
        self.octets.count > Self.inbox.count && self.octets.starts(with: Self.inbox)
            && self.octets[Self.inbox.count] == Self.delimiter
    }

    /// The parent folder; nil at the top level.
    package var parent: FolderPath? {
        self.octets.lastIndex(of: Self.delimiter).map {
            FolderPath(checked: Array(self.octets[..<$0]))
        }
    }

    /// Whether this path starts with `other` and a delimiter.
    package func isBelow(_ other: FolderPath) -> Bool {
        self.octets.count > other.octets.count && self.octets.starts(with: other.octets)
            && self.octets[other.octets.count] == Self.delimiter
    }

    package static func < (one: FolderPath, other: FolderPath) -> Bool {
        one.octets.lexicographicallyPrecedes(other.octets)
    }
}
