import Access

/// The parts of a document that differ from the store.
extension StoreTransaction {
    /// The document without the parts that the store has already. Reading and comparing a part
    /// takes much less time than trying it on a copy.
    ///
    /// A part is kept where in doubt. All parts are kept if a user, a group or an account is
    /// removed, which also removes the rules about it.
    /// - Parameter known: The grants of the store, if they were read before.
    func different(
        _ document: ModelDocument,
        known: KnownGrants? = nil
    ) throws -> DocumentRest {
        let (users, groups) = (try self.userRows(), try self.groupRows())
        let accounts = try self.documentAccounts()
        guard Self.has(document.users?.map(\.login), names: users.map(\.login)),
            Self.has(document.groups?.map(\.name), names: groups.map(\.name)),
            Self.has(document.accounts?.map(\.address), names: accounts.map(\.address))
        else { return DocumentRest(document: document, accounts: nil) }
        var rest = document
        if Self.isSame(document.users, as: users, by: \.login, isEqual: { $0.isSame(as: $1) }) {
            rest.users = nil
        }
        if Self.isSame(document.groups, as: groups, by: \.name, isEqual: { $0.hasMembers(of: $1) })
        {
            rest.groups = nil
        }
        if Self.isSame(
            document.accounts,
            as: accounts,
            by: \.address,
            isEqual: { $0.isSame(as: $1) }
        ) {
            rest.accounts = nil
        }
        let withdrawals = try self.documentWithdrawals()
        if Self.isSame(
            document.withdrawals,
            as: withdrawals,
            by: { "\($0.account) \($0.subject)" },
            isEqual: { $0.isSame(as: $1) }
        ) {
            rest.withdrawals = nil
        }
        let walls = try self.documentWalls()
        if Self.isSame(
            document.walls,
            as: walls,
            by: { "\($0.account) \($0.subject)" },
            isEqual: { $0.isSame(as: $1) }
        ) {
            rest.walls = nil
        }
        guard let grants = document.grants else { return DocumentRest(document: rest) }
        let primaries = document.accounts?.map(\.address)
        let difference = try self.differentGrants(grants, primaries: primaries, known: known)
        guard let difference else {
            return DocumentRest(document: rest, accounts: nil)
        }
        let (places, positions) = difference
        rest.grants = places.isEmpty && positions.isEmpty ? nil : positions.map { grants[$0] }
        return DocumentRest(document: rest, accounts: places, positions: positions)
    }

    /// Whether a part of a document has all of these names; a part that is nil has.
    private static func has(_ part: [String]?, names: [String]) -> Bool {
        part.map { Set($0.map(ExactText.init)).isSuperset(of: names.map(ExactText.init)) } ?? true
    }

    /// Whether a part of a document has the same entries as the store, each once.
    private static func isSame<Entry: DocumentEntry>(
        _ part: [Entry]?,
        as entries: [Entry],
        by name: (Entry) -> String,
        isEqual: (Entry, Entry) -> Bool
    ) -> Bool {
        guard let part, part.count == entries.count else { return false }
        let known = Dictionary(entries.map { (ExactText(name($0)), $0) }) { first, _ in first }
        var seen: Set<ExactText> = []
        return part.allSatisfy { entry in
            let key = ExactText(name(entry))
            return seen.insert(key).inserted && known[key].map { isEqual(entry, $0) } ?? false
        }
    }
}

/// What of a document differs from the store.
struct DocumentRest {
    /// The parts that differ, and of the grants those on accounts whose grants differ.
    var document: ModelDocument
    /// The accounts whose grants may change; nil for all.
    var accounts: Set<Int64>? = []
    /// The positions of the grants in the whole document; nil if these are all.
    var positions: [Int]?
}

extension ModelDocument {
    /// Whether the document has no part.
    var isEmpty: Bool { self == ModelDocument() }
}
