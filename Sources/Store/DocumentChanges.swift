import Access
import Foundation

extension ModelDocument {
    /// What this document has and another does not, and the other way round, a line each; compared as
    /// octets, so that a name in another Unicode form is a change.
    func changes(from before: ModelDocument) -> (added: [String], removed: [String]) {
        let (old, new) = (before.lines, self.lines)
        return (
            new.subtracting(old).sorted().map(\.text), old.subtracting(new).sorted().map(\.text)
        )
    }

    /// One line of text for each thing in the document.
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

extension StoreTransaction {
    /// Refuses a part of a document in which two entries are for one thing: one of them alone could
    /// count, and nobody could see which.
    ///
    /// - Parameters:
    ///   - part: the part's key in the document.
    ///   - keys: what each entry is for; an entry may be for several things.
    /// - Throws: ``StoreError``, with the positions of both, counted from 0 as in `grants[0]`.
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
