/// An entry in the result of a search (RFC 4511 §4.5.2).
package struct DirectoryEntry: Equatable, Sendable {
    /// The distinguished name, in the spelling of the server.
    package var name: String
    /// The values by the lower-case description.
    private var attributes: [String: [[UInt8]]] = [:]
    /// The index of the next value of attributes whose values are not complete.
    private(set) var missing: [String: Int] = [:]

    /// The index of the first value of attributes whose values are a part.
    private var firsts: [String: Int] = [:]

    init(name: String) {
        self.name = name
    }

    /// The values of an attribute in the order of the server; none if the entry does not have it.
    /// - Parameter attribute: a type with its options, such as `userCertificate;binary`; the case
    ///   of letters does not matter.
    package func values(of attribute: String) -> [[UInt8]] {
        self.attributes[attribute.lowercased()] ?? []
    }

    /// The values of an attribute that are texts: valid UTF-8 without NUL. Others are left out.
    package func strings(of attribute: String) -> [String] {
        self.values(of: attribute).compactMap { value in
            value.contains(0) ? nil : String(validating: value, as: UTF8.self)
        }
    }

    /// Adds an attribute as the server sends it.
    mutating func add(_ attribute: AttributeDescription, values: [[UInt8]]) {
        self.attributes[attribute.name, default: []] += values
        guard let part = attribute.part else { return }
        self.firsts[attribute.name] = part.first
        self.missing[attribute.name] = part.last.map { $0 + 1 }
    }

    /// Adds the next part of the values of an attribute.
    /// - Parameters:
    ///   - first: the index of the first value that this entry lacks.
    ///   - part: the same entry with that part.
    /// - Returns: false if the part does not start there.
    mutating func complete(_ attribute: String, from first: Int, by part: DirectoryEntry) -> Bool {
        guard part.firsts[attribute] == first else { return false }
        self.attributes[attribute, default: []] += part.values(of: attribute)
        self.missing[attribute] = part.missing[attribute]
        return true
    }
}
