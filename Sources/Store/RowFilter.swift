import Access
import Foundation

/// A condition on rows, with the values in it.
struct RowFilter {
    private(set) var conditions: [String] = []
    private(set) var arguments: StoreArguments = []

    static let all = RowFilter()

    private init() {}

    init(_ condition: String, arguments: StoreArguments = []) {
        self.conditions = [condition]
        self.arguments = arguments
    }

    /// Rows with one of these values in a column.
    init(_ column: String, in values: some Collection<Int64>) {
        // One argument, however many values there are: SQLite limits the number of arguments.
        let list = "[" + values.map(String.init).joined(separator: ",") + "]"
        self.init("\(column) IN (SELECT value FROM json_each(?))", arguments: [list])
    }

    /// Rows of grants, withdrawals or walls that name one of these subjects.
    init(naming subjects: some Collection<Subject>) {
        let users = RowFilter("user", in: subjects.compactMap(\.userKey))
        let groups = RowFilter("\"group\"", in: subjects.compactMap(\.groupKey))
        var choices = users.conditions + groups.conditions
        // Whoever logs in is neither a user nor a group.
        if subjects.contains(.everyone) { choices.append("coalesce(user, \"group\") IS NULL") }
        self.init(
            "(\(choices.joined(separator: " OR ")))",
            arguments: users.arguments + groups.arguments
        )
    }

    /// The local rules of one subject on an account.
    init(account: Int64, subject: Subject) {
        self.init(
            "account = ? AND user IS ? AND \"group\" IS ? AND source = 'local'",
            arguments: [account, subject.userKey, subject.groupKey]
        )
    }

    /// The local grants of one subject in one scope of an account.
    init(account: Int64, subject: Subject, scope: Scope) {
        let (folder, isSubtree) = scope.columns
        self = RowFilter(account: account, subject: subject)
            .and("folder IS ? AND subtree = ?", arguments: [folder, isSubtree])
    }

    func and(_ condition: String, arguments: StoreArguments = []) -> RowFilter {
        var filter = self
        filter.conditions.append(condition)
        filter.arguments += arguments
        return filter
    }

    func and(_ other: RowFilter) -> RowFilter {
        var filter = self
        filter.conditions += other.conditions
        filter.arguments += other.arguments
        return filter
    }

    /// `WHERE …`, or nothing where every row counts.
    var clause: String {
        self.conditions.isEmpty ? "" : "WHERE " + self.conditions.joined(separator: " AND ")
    }

    /// - Parameters:
    ///   - selection: up to the condition.
    ///   - order: what follows the condition.
    func rows(
        _ transaction: StoreTransaction,
        of selection: String,
        order: String = ""
    ) throws -> [StoreRow] {
        try transaction.rows(
            sql: "\(selection) \(self.clause) \(order)",
            arguments: self.arguments
        )
    }
}

extension Subject {
    /// Its key in the column of users; nil for a group.
    var userKey: Int64? {
        if case .user(let user) = self { return user.rawValue }
        return nil
    }

    /// Its key in the column of groups; nil for a user.
    var groupKey: Int64? {
        if case .group(let group) = self { return group.rawValue }
        return nil
    }
}

extension Scope {
    /// How it is kept: the folder's octets, nil for the account, and whether what is below counts.
    var columns: (folder: Data?, isSubtree: Bool) {
        switch self {
        case .account: (nil, false)
        case .folder(let folder): (Data(folder.octets), false)
        case .subtree(let folder): (Data(folder.octets), true)
        }
    }
}
