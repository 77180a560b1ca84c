import Access

/// Values by account, for the accounts that one session uses at a time.
///
/// A session uses one or a few accounts, so a search through all of them costs less than a hash.
struct AccountTable<Value>: Sequence, ExpressibleByDictionaryLiteral {
    typealias Element = (key: AccountID, value: Value)

    private var entries: ContiguousArray<Element> = []

    /// Creates a table; of two values for one account the later one counts.
    init(dictionaryLiteral elements: (AccountID, Value)...) {
        for (account, value) in elements { self[account] = value }
    }

    var isEmpty: Bool { self.entries.isEmpty }
    /// How many accounts have a value.
    var count: Int { self.entries.count }

    /// The accounts that have a value.
    var keys: [AccountID] { self.entries.map(\.key) }

    /// The values of all accounts.
    var values: [Value] { self.entries.map(\.value) }

    func makeIterator() -> ContiguousArray<Element>.Iterator { self.entries.makeIterator() }

    private func index(of account: AccountID) -> Int? {
        self.entries.firstIndex { $0.key.rawValue == account.rawValue }
    }

    /// The value of an account; nil for none.
    subscript(account: AccountID) -> Value? {
        get {
            guard let index = self.index(of: account) else { return nil }
            return self.entries[index].value
        }
        set {
            switch (self.index(of: account), newValue) {
            case (let index?, let value?): self.entries[index].value = value
            case (let index?, nil): self.entries.remove(at: index)
            case (nil, let value?): self.entries.append((key: account, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Removes and returns the value of an account; nil for none.
    @discardableResult
    mutating func removeValue(forKey account: AccountID) -> Value? {
        guard let index = self.index(of: account) else { return nil }
        return self.entries.remove(at: index).value
    }
}
