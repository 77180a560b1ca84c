/// What an edit or a look-up ran into, in words that say what to do.
package struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        case notFound
        case refused
        case unusable
        /// The file was exchanged while it was used; the one that took its place may serve.
        case replaced
    }

    package var kind: Kind
    package var description: String

    package static func notFound(_ text: String) -> StoreError {
        StoreError(kind: .notFound, description: text)
    }

    package static func refused(_ text: String) -> StoreError {
        StoreError(kind: .refused, description: text)
    }

    static let replaced = StoreError(
        kind: .replaced,
        description: "the store was replaced meanwhile, and nothing was changed: try again"
    )

    package static func unusable(_ text: String) -> StoreError {
        StoreError(kind: .unusable, description: text)
    }
}
