import Foundation

/// A value with the type in which it is stored.
enum StoreCell: Equatable, Sendable {
    /// No value.
    case null
    /// A key, a count, a moment, or a truth value.
    case integer(Int64)
    /// A text in UTF-8.
    case text(String)
    /// Octets.
    case octets(Data)
}
