import Access
import Foundation

/// Comparison of two documents.
extension ModelDocument {
    /// The entries that only one of two documents has, one line each. Lines are compared octet
    /// for octet, so a name in another Unicode normalization form is a change.
    /// - Parameter before: The document that this one replaces.
    func changes(from before: ModelDocument) -> (added: [String], removed: [String]) {
        let (old, new) = (before.lines, self.lines)
        return (
            new.subtracting(old).sorted().map(\.text), old.subtracting(new).sorted().map(\.text)
        )
    }

    /// One line for each entry: the kind of entry and its JSON with sorted keys.
    private var lines: Set<ExactText> {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func lines(_ kind: String, values: [some Encodable]?) -> [ExactText] {
            (values ?? []).map { value in
                let octets = (try? encoder.encode(value)) ?? Data()
                return ExactText("\(kind) \(String(decoding: octets, as: UTF8.self))")
            }
        }
        return Set(
            lines("user", values: self.users) + lines("group", values: self.groups)
                + lines("account", values: self.accounts) + lines("grant", values: self.grants)
                + lines("withdrawal", values: self.withdrawals) + lines("wall", values: self.walls)
        )
    }
}

/// The check for duplicate entries in a document.
extension StoreTransaction {
    /// Refuses a part of a document in which two entries have the same key: only one of them
    /// could take effect, and nobody could see which.
    ///
    /// - Parameters:
    ///   - part: The part's key in the document.
    ///   - keys: The keys of each entry; an entry may have several.
    ///   - description: What the entry at an index is for, in the error message.
    /// - Throws: ``StoreError`` with the positions of both entries, counted from 0 as in
    ///   `grants[0]`.
    static func requireDistinct<Key: Hashable>(
        _ part: String,
        keys: [[Key]],
        description: (Int) -> String
    ) throws {
        var positions: [Key: Int] = [:]
        for (index, key) in keys.enumerated().flatMap({ index, keys in keys.map { (index, $0) } }) {
            guard let first = positions.updateValue(index, forKey: key) else { continue }
            throw StoreError.refused(
                "\(part)[\(first)] and \(part)[\(index)] are both for \(description(index)): leave "
                    + "one of them in the document"
            )
        }
    }
}
