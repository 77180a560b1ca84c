import Access
import Foundation

/// Comparison of two documents.
extension ModelDocument {
    /// The entries that only one of two documents has, one line each. Lines are compared octet
    /// for octet, so a name in another Unicode normalization form is a change.
    /// - Parameter before: The document that this one replaces.
    func changes(from before: ModelDocument) -> (added: [String], removed: [String]) {
        var lines = DifferentLines()
        lines.add("user", before: before.users, after: self.users)
        lines.add("group", before: before.groups, after: self.groups)
        lines.add("account", before: before.accounts, after: self.accounts)
        lines.add("grant", before: before.grants, after: self.grants)
        lines.add("withdrawal", before: before.withdrawals, after: self.withdrawals)
        lines.add("wall", before: before.walls, after: self.walls)
        return lines.differences
    }
}

/// The lines of two documents from the first different entry of each part to the last one.
private struct DifferentLines {
    private let lines = DocumentLines()
    private var before: [ExactText] = []
    private var after: [ExactText] = []

    /// The lines that only one document has, sorted, each once.
    var differences: (added: [String], removed: [String]) {
        // Sorting takes less time than sets of a million lines.
        let (before, after) = (self.before.sorted(), self.after.sorted())
        return (Self.lines(of: after, without: before), Self.lines(of: before, without: after))
    }

    /// The lines that another list lacks; both are sorted.
    private static func lines(of lines: [ExactText], without others: [ExactText]) -> [String] {
        var (result, other): ([String], Int) = ([], 0)
        for (index, line) in lines.enumerated() where index == 0 || lines[index - 1] != line {
            while other < others.count, others[other] < line { other += 1 }
            if other == others.count || others[other] != line { result.append(line.text) }
        }
        return result
    }

    /// Adds the lines of a part of both documents, which have the same order.
    mutating func add<Entry: DocumentEntry>(
        _ kind: String,
        before: [Entry]?,
        after: [Entry]?
    ) {
        var (old, new) = (before.map { $0[...] } ?? [], after.map { $0[...] } ?? [])
        while let one = old.first, let other = new.first, one.isSame(as: other) {
            old.removeFirst()
            new.removeFirst()
        }
        while let one = old.last, let other = new.last, one.isSame(as: other) {
            old.removeLast()
            new.removeLast()
        }
        for entry in old { self.before.append(self.lines.line(kind, value: entry)) }
        for entry in new { self.after.append(self.lines.line(kind, value: entry)) }
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
    ///   - positions: The position of each entry in the document; nil if they are all entries.
    ///   - description: What the entry at an index is for, in the error message.
    /// - Throws: ``StoreError`` with the positions of both entries, counted from 0 as in
    ///   `grants[0]`.
    static func requireDistinct<Key: Hashable>(
        _ part: String,
        keys: [[Key]],
        positions places: [Int]? = nil,
        description: (Int) -> String
    ) throws {
        var positions: [Key: Int] = [:]
        for (index, key) in keys.enumerated().flatMap({ index, keys in keys.map { (index, $0) } }) {
            guard let first = positions.updateValue(index, forKey: key) else { continue }
            let (one, other) = (places?[first] ?? first, places?[index] ?? index)
            throw StoreError.refused(
                "\(part)[\(one)] and \(part)[\(other)] are both for \(description(index)): leave "
                    + "one of them in the document"
            )
        }
    }
}
