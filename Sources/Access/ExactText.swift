/// A text that compares, hashes and sorts as its UTF-8 octets.
///
/// Swift's `String` takes composed and decomposed letters for equal, and U+212A for `K`. A folder, a
/// group or a file of one spelling is not that of the other, so no permission key is a `String`.
package struct ExactText: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
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
