/// Why an edit or a look-up failed, with a message that states the remedy.
package struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The class of an error.
    package enum Kind: Equatable, Sendable {
        /// A named thing does not exist.
        case notFound
        /// The edit is not allowed, or its input is invalid.
        case refused
        /// The store, a file or a credential cannot be used.
        case unusable
        /// Another file took the store's place during the operation; that file may work.
        case replaced
    }

    /// The class of the error.
    package var kind: Kind
    /// The message for the user.
    package var description: String

    /// An error of kind `notFound`.
    package static func notFound(_ text: String) -> StoreError {
        StoreError(kind: .notFound, description: text)
    }

    /// An error of kind `refused`.
    package static func refused(_ text: String) -> StoreError {
        StoreError(kind: .refused, description: text)
    }

    /// The error of an operation during which the file was replaced.
    static let replaced = StoreError(
        kind: .replaced,
        description: "the store was replaced meanwhile, and nothing was changed: try again"
    )

    /// An error of kind `unusable`.
    package static func unusable(_ text: String) -> StoreError {
        StoreError(kind: .unusable, description: text)
    }
}
