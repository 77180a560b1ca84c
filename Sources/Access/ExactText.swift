/// A text that is compared, hashed and sorted by its UTF-8 octets.
///
/// Swift's `String` treats composed and decomposed letters as equal, and the Kelvin sign U+212A as
/// `K`. Two spellings are two folders, groups or files, so no key of a permission is a `String`.
package struct ExactText: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// The text, unchanged.
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package var description: String { self.text }

    package static func == (one: ExactText, other: ExactText) -> Bool {
        one.text.utf8.elementsEqual(other.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.text.utf8.count)
        for octet in self.text.utf8 { hasher.combine(octet) }
    }

    package static func < (one: ExactText, other: ExactText) -> Bool {
        one.text.utf8.lexicographicallyPrecedes(other.text.utf8)
    }
}
