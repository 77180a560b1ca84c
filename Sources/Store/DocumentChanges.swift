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

    /// One line for each entry.
    private var lines: Set<ExactText> {
        let lines = DocumentLines()
        func all(_ kind: String, values: [some Encodable]?) -> [ExactText] {
            (values ?? []).map { lines.line(kind, value: $0) }
        }
        return Set(
            all("user", values: self.users) + all("group", values: self.groups)
                + all("account", values: self.accounts) + all("grant", values: self.grants)
                + all("withdrawal", values: self.withdrawals) + all("wall", values: self.walls)
        )
    }
}

/// Entries of documents as lines: the kind of entry and its JSON with sorted keys.
struct DocumentLines {
    private let encoder: JSONEncoder

    /// Creates the encoder, which serves any number of lines.
    init() {
        self.encoder = JSONEncoder()
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// The line of an entry.
    func line(_ kind: String, value: some Encodable) -> ExactText {
        let octets = (try? self.encoder.encode(value)) ?? Data()
        return ExactText("\(kind) \(String(decoding: octets, as: UTF8.self))")
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
