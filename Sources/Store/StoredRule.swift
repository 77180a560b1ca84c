import Access

/// A grant, a withdrawal or a wall as the command line shows it, with what it is about.
struct StoredRule<Row> {
    var account: Int64
    var subject: Subject
    var row: Row
}

/// What there is one wall, and one withdrawal of each side, for.
struct SubjectOnAccount: Hashable {
    var account: Int64
    var subject: Subject
}
