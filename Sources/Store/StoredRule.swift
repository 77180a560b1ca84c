import Access

/// A grant, a withdrawal or a wall as a row of a list, with the keys that it refers to.
struct StoredRule<Row> {
    /// The key of the account's row.
    var account: Int64
    /// The user, the group, or everyone.
    var subject: Subject
    /// The row of the list, with names instead of keys.
    var row: Row
}

/// The key of a wall, and of the withdrawals on one account from one subject.
struct SubjectOnAccount: Hashable {
    /// The key of the account's row.
    var account: Int64
    /// The user or the group.
    var subject: Subject
}
