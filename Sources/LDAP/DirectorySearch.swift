/// A search (RFC 4511 §4.5.1).
package struct DirectorySearch: Equatable, Sendable {
    /// The entries in question.
    package enum Scope: Equatable, Sendable {
        /// The base alone.
        case base
        /// The direct children of the base.
        case oneLevel
        /// The base and everything below it.
        case subtree
    }

    /// The distinguished name of the base; empty for the root.
    package var base: String
    package var scope: Scope
    /// A filter (RFC 4515). ``DirectoryFilter/escaped(_:)`` makes a value for it.
    package var filter: String
    /// The attributes to read; without one, entries have only their names.
    package var attributes: [String]
    /// The most entries: one more is an error.
    package var maximumEntries: Int

    package init(
        base: String,
        scope: Scope,
        filter: String,
        attributes: [String],
        maximumEntries: Int
    ) {
        self.base = base
        self.scope = scope
        self.filter = filter
        self.attributes = attributes
        self.maximumEntries = maximumEntries
    }
}
