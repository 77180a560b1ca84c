import Access

/// How far a reader came in the audit log: the number of the last record in the chain of each node.
package struct AuditPosition: Equatable, Sendable {
    private var numbers: [ExactText: Int64] = [:]

    /// Before the first record of each chain.
    package init() {}

    /// The number of the last record of a node that the reader has seen; 0 for none.
    package internal(set) subscript(node: String) -> Int64 {
        get { self.numbers[ExactText(node)] ?? 0 }
        set { self.numbers[ExactText(node)] = newValue }
    }
}
