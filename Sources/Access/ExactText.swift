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
        one.withOctets { octets in
            other.withOctets { octets.count == $0.count && octets.elementsEqual($0) }
        }
    }

    package func hash(into hasher: inout Hasher) {
        self.withOctets { octets in
            hasher.combine(octets.count)
            hasher.combine(bytes: UnsafeRawBufferPointer(octets))
        }
    }

    private func withOctets<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
        if let value = self.text.utf8.withContiguousStorageIfAvailable(body) { return value }
        return Array(self.text.utf8).withUnsafeBufferPointer(body)
    }

    package static func < (one: ExactText, other: ExactText) -> Bool {
        one.withOctets { octets in
            other.withOctets { others in
                let common = min(octets.count, others.count)
                for index in 0..<common where octets[index] != others[index] {
                    return octets[index] < others[index]
                }
                return octets.count < others.count
            }
        }
    }
}
