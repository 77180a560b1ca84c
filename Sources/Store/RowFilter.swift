import Access
import Foundation

/// The condition of a query with its arguments. Values never become part of the SQL text.
struct RowFilter: Sendable {
    /// SQL conditions, all of which must hold.
    private(set) var conditions: [String] = []
    /// The values for the `?` in the conditions, in the same order.
    private(set) var arguments: StoreArguments = []

    /// Matches every row.
    static let all = RowFilter()

    /// Use ``all``.
    private init() {}

    /// A condition with one `?` for each argument.
    init(_ condition: String, arguments: StoreArguments = []) {
        self.conditions = [condition]
        self.arguments = arguments
    }

    /// Matches rows with one of these values in a column. An empty collection matches no row.
    init(_ column: String, in values: some Collection<Int64>) {
        // One argument, however many values there are: SQLite limits the number of arguments.
        let list = "[" + values.map(String.init).joined(separator: ",") + "]"
        self.init("\(column) IN (SELECT value FROM json_each(?))", arguments: [list])
    }

    /// Matches rules that name one of these subjects.
    /// - Parameter table: The alias of the table with the point behind it, such as `g.`.
    init(naming subjects: some Collection<Subject>, table: String = "") {
        let users = RowFilter("\(table)user", in: subjects.compactMap(\.userKey))
        let groups = RowFilter("\(table)\"group\"", in: subjects.compactMap(\.groupKey))
        var choices = users.conditions + groups.conditions
        // A rule for everyone has neither a user nor a group.
        if subjects.contains(.everyone) {
            choices += RowFilter(subject: .everyone, table: table).conditions
        }
        self.init(
            "(\(choices.joined(separator: " OR ")))",
            arguments: users.arguments + groups.arguments
        )
    }

    /// Matches the local rules of one subject on an account.
    init(account: Int64, subject: Subject) {
        self = RowFilter("account = ? AND source = 'local'", arguments: [account])
            .and(RowFilter(subject: subject))
    }

    /// Matches the rows that name exactly this subject.
    /// - Parameters:
    ///   - table: The alias of the table with the point behind it, such as `g.`.
    ///   - group: The column with the key of a group.
    init(subject: Subject, table: String = "", group column: String = "\"group\"") {
        // A comparison with NULL would make an index of mostly empty values look useful.
        switch subject {
        case .user(let user): self.init("\(table)user = ?", arguments: [user.rawValue])
        case .group(let group): self.init("\(table)\(column) = ?", arguments: [group.rawValue])
        case .everyone: self.init("coalesce(\(table)user, \(table)\(column)) IS NULL")
        }
    }

    /// Matches the local grants of one subject in one scope of an account.
    init(account: Int64, subject: Subject, scope: Scope) {
        let (folder, isSubtree) = scope.columns
        self = RowFilter(account: account, subject: subject)
            .and("folder IS NOT DISTINCT FROM ? AND subtree = ?", arguments: [folder, isSubtree])
    }

    /// This condition and another one.
    func and(_ condition: String, arguments: StoreArguments = []) -> RowFilter {
        var filter = self
        filter.conditions.append(condition)
        filter.arguments += arguments
        return filter
    }

    /// This condition and that of another filter.
    func and(_ other: RowFilter) -> RowFilter {
        var filter = self
        filter.conditions += other.conditions
        filter.arguments += other.arguments
        return filter
    }

    /// `WHERE …`; empty for ``all``.
    var clause: String {
        self.conditions.isEmpty ? "" : "WHERE " + self.conditions.joined(separator: " AND ")
    }

    /// Runs a query with this condition.
    /// - Parameters:
    ///   - selection: The SQL text before the condition.
    ///   - order: The SQL text after the condition.
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

extension RowFilter {
    /// Calls a body with each row of a query with this condition, as
    /// ``StoreTransaction/forEach(sql:arguments:body:)``.
    func forEach(
        _ transaction: StoreTransaction,
        of selection: String,
        order: String = "",
        body: (StoreRow) throws -> Void
    ) throws {
        try transaction.forEach(
            sql: "\(selection) \(self.clause) \(order)",
            arguments: self.arguments,
            body: body
        )
    }
}

/// The two columns in which a subject is stored; both are nil for everyone.
extension Subject {
    /// The value of the column `user`; nil for a group and for everyone.
    var userKey: Int64? {
        if case .user(let user) = self { return user.rawValue }
        return nil
    }

    /// The value of the column `group`; nil for a user and for everyone.
    var groupKey: Int64? {
        if case .group(let group) = self { return group.rawValue }
        return nil
    }
}

/// The two columns in which a scope is stored.
extension Scope {
    /// The folder's octets, nil for the whole account, and whether folders below it are
    /// included.
    var columns: (folder: Data?, isSubtree: Bool) {
        switch self {
        case .account: (nil, false)
        case .folder(let folder): (Data(folder.octets), false)
        case .subtree(let folder): (Data(folder.octets), true)
        }
    }
}
